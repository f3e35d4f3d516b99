// SPDX-License-Identifier: Apache-2.0
#include "io/data/text_lines.h"

#include <cstdint>
#include <string_view>

#include "core/input_file.h"
#include "gpueval/error.h"

namespace gpueval::data {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 28;  // lists of millions of pictures

void check_encoding(const std::string& path, std::string_view text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    fail("{}: expected UTF-8 text, found UTF-16; save it as UTF-8", path);
  if (text.find('\0') != std::string_view::npos)
    fail("{}: expected UTF-8 text, found zero bytes: UTF-16 without its mark, or no text at all", path);
}

std::string_view trimmed(std::string_view line) {
  const auto first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::vector<std::string> read_lines(const std::string& path) {
  const std::string bytes = read_file(path, kMaxBytes);
  check_encoding(path, bytes);
  std::string_view text = bytes;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find_first_of("\r\n");
    lines.emplace_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.empty()) fail("{}: is empty, expected one entry a line", path);
  return lines;
}

}  // namespace gpueval::data
