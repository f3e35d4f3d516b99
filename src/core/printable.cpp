// SPDX-License-Identifier: Apache-2.0
#include "core/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace gpueval {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 0;  // 0: no UTF-8 here
};

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < bytes) return {};
  std::uint32_t value = first & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3f);
  }
  const bool overlong = (bytes == 3 && value < 0x800) || (bytes == 4 && value < 0x10000);
  if (overlong || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, bytes};
}

struct Range {
  std::uint32_t first, last;
};
// Controls, separators of lines, marks of direction, and what shows nothing: it would make two names look the same.
constexpr Range kHarmful[] = {{0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad},  {0x061c, 0x061c}, {0x180e, 0x180e},
                              {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f}, {0xfeff, 0xfeff},
                              {0xfff9, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe007f}};

bool is_harmful(std::uint32_t c) {
  return std::any_of(std::begin(kHarmful), std::end(kHarmful), [&](Range r) { return r.first <= c && c <= r.last; });
}

std::string escape(std::uint32_t c) {
  if (c < 0x80) return fmt::format("\\x{:02x}", c);
  return c < 0x10000 ? fmt::format("\\u{:04x}", c) : fmt::format("\\U{:08x}", c);
}

}  // namespace

std::string printable(std::string_view text, NewLines lines) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = decode(text);
    if (point.bytes == 0) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
      continue;
    }
    if (point.value == '\n' && lines == NewLines::kKeep) {
      result += '\n';
    } else if (point.value == '\n') {
      result += "\\n";
    } else if (!is_harmful(point.value)) {
      result += text.substr(0, point.bytes);
    } else {
      result += escape(point.value);
    }
    text.remove_prefix(point.bytes);
  }
  return result;
}

}  // namespace gpueval
