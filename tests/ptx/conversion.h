// SPDX-License-Identifier: Apache-2.0
// Integers that change their size: of cvt, and of loads into registers wider than what is loaded.
#pragma once

#include <cstdint>

#include "ptx/decoder.h"

namespace gpueval::ptx {

// A wider register than the type gets the sign, or zeros.
inline Conversion conversion_of(const Type& from, const Type& to, int register_bits) {
  return {.from_bits = static_cast<std::uint8_t>(from.bits),
          .to_bits = static_cast<std::uint8_t>(to.bits),
          .register_bits = static_cast<std::uint8_t>(register_bits),
          .from_signed = from.is_signed(),
          .to_signed = to.is_signed()};
}

inline std::uint64_t extend(std::uint64_t value, int bits, bool is_signed) {
  const int above = 64 - bits;
  return is_signed ? static_cast<std::uint64_t>(static_cast<std::int64_t>(value << above) >> above)
                   : value << above >> above;
}
inline std::uint64_t convert(std::uint64_t value, const Conversion& c) {
  value = extend(value, c.from_bits, c.from_signed);
  value = extend(value, c.to_bits, c.to_signed);
  return extend(value, c.register_bits, false);
}

}  // namespace gpueval::ptx
