// SPDX-License-Identifier: Apache-2.0
#include "report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/printable.h"
#include "gpueval/error.h"
#include "report/markup.h"

namespace gpueval {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }  // of a UTF-8 character

std::size_t characters(std::string_view text) {  // continuation bytes take no place
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_continuation));
}

}  // namespace

void TextTable::column(std::string title, Align align) { columns_.push_back({printable(title), align}); }

void TextTable::row(std::vector<std::string> cells) {
  GPUEVAL_CHECK(cells.size() == columns_.size(), "{} cells, {} columns", cells.size(), columns_.size());
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], characters(row[c]));
  }
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (widths[c] > 0) widths[c] = std::max(widths[c], characters(columns_[c].title));
  }
  const auto line = [&](auto&& cell) {
    std::string result;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (widths[c] == 0) continue;
      if (!result.empty()) result += "  ";
      const std::string text = cell(c);
      const std::string gap(widths[c] - characters(text), ' ');
      result += columns_[c].align == Align::kLeft ? text + gap : gap + text;
    }
    result.erase(result.find_last_not_of(' ') + 1);
    return result + '\n';
  };
  std::string result = line([&](std::size_t c) { return columns_[c].title; });
  result += line([&](std::size_t c) { return std::string(widths[c], '-'); });
  for (const auto& row : rows_) result += line([&](std::size_t c) { return row[c]; });
  return result;
}

std::vector<bool> TextTable::filled() const {
  std::vector<bool> result(columns_.size(), false);
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < row.size(); ++c) result[c] = result[c] || !row[c].empty();
  }
  return result;
}

std::string TextTable::markdown() const {
  const std::vector<bool> shown = filled();
  const auto line = [&](auto&& cell) {
    std::string result = "|";
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (shown[c]) result += fmt::format(" {} |", cell(c));
    }
    return result + '\n';
  };
  std::string result = line([&](std::size_t c) { return escaped_markdown(columns_[c].title); });
  result += line([&](std::size_t c) { return columns_[c].align == Align::kLeft ? "---" : "---:"; });
  for (const auto& row : rows_) result += line([&](std::size_t c) { return escaped_markdown(row[c]); });
  return result;
}

std::string TextTable::html() const {
  const std::vector<bool> shown = filled();
  const auto line = [&](const char* tag, auto&& cell) {
    std::string result = "<tr>";
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (!shown[c]) continue;
      const char* side = columns_[c].align == Align::kLeft ? " class=\"l\"" : "";
      result += fmt::format("<{0}{1}>{2}</{0}>", tag, side, escaped(cell(c)));
    }
    return result + "</tr>\n";
  };
  std::string result = "<div class=\"scroll\"><table>\n<thead>";
  result += line("th", [&](std::size_t c) { return columns_[c].title; }) + "</thead>\n<tbody>\n";
  for (const auto& row : rows_) result += line("td", [&](std::size_t c) { return row[c]; });
  return result + "</tbody></table></div>\n";
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t start = number < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > start + 3;) digits.insert(i -= 3, 1, ',');
  return digits;
}

std::string shortened_path(const std::string& path, std::size_t width) {
  const std::string shown = printable(path);
  if (shown.size() <= width) return shown;
  std::size_t start = shown.size() - width + 3;
  while (start < shown.size() && is_continuation(shown[start])) ++start;
  return "..." + shown.substr(start);
}

std::string shortened_name(const std::string& name, std::size_t width) {
  const std::string shown = printable(name);
  if (shown.size() <= width) return shown;
  std::size_t end = width - 3;
  while (end > 0 && is_continuation(shown[end])) --end;
  return shown.substr(0, end) + "...";
}

std::string wrapped(std::string_view line, std::size_t width, std::size_t indent) {
  const std::string shown = printable(line);
  std::string_view text = shown;
  std::string result;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (column > 0 && column + 1 + characters(word) > width) {
      result += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > 0) {
      result += ' ';
      ++column;
    }
    result += word;
    column += characters(word);
  }
  return result + '\n';
}

}  // namespace gpueval
