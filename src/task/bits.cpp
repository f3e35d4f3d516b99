// SPDX-License-Identifier: Apache-2.0
#include "task/bits.h"

#include <string_view>

namespace gpueval {
namespace {
constexpr std::string_view kDigits = "0123456789abcdef";
}

std::string bits_to_hex(const std::vector<bool>& bits) {
  std::string hex;
  for (std::size_t i = 0; i < (bits.size() + 7) / 8 * 8; i += 4) {
    std::size_t digit = 0;
    for (std::size_t j = i; j < i + 4; ++j) digit = 2 * digit + (j < bits.size() && bits[j] ? 1 : 0);
    hex += kDigits[digit];
  }
  return hex;
}

std::optional<std::vector<bool>> hex_to_bits(const std::string& hex, std::size_t count) {
  if (hex.size() != (count + 7) / 8 * 2) return std::nullopt;
  std::vector<bool> bits(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t digit = kDigits.find(hex[i / 4]);
    if (digit == std::string_view::npos) return std::nullopt;
    bits[i] = ((digit >> (3 - i % 4)) & 1) != 0;
  }
  return bits;
}

}  // namespace gpueval
