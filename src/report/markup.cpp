// SPDX-License-Identifier: Apache-2.0
#include "report/markup.h"

#include <algorithm>
#include <cstddef>

#include "core/printable.h"

namespace gpueval {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string escaped_markdown(std::string_view text) {
  constexpr std::string_view kMarks = "\\`*_<>[]|&~#$";
  std::string out;
  for (const char c : printable(text, NewLines::kKeep)) {
    if (kMarks.find(c) != std::string_view::npos) out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string markdown_code(std::string_view text) {
  const std::string shown = printable(text);
  std::size_t run = 0, longest = 0;
  for (const char c : shown) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  return longest == 0 ? fence + shown + fence : fence + ' ' + shown + ' ' + fence;
}

}  // namespace gpueval
