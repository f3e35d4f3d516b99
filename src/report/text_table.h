// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gpueval {

// A table in three forms: aligned text (columns two spaces apart), Markdown, HTML. A column that is empty in every row
// is left out. Widths are in characters (UTF-8).
class TextTable {
 public:
  enum class Align { kLeft, kRight };
  void column(std::string title, Align align = Align::kRight);
  void row(std::vector<std::string> cells);  // one a column
  std::string text() const;                  // titles, a rule, rows; each line ends with '\n'
  std::string markdown() const;
  std::string html() const;

 private:
  std::vector<bool> filled() const;  // columns that are not left out
  struct Column {
    std::string title;
    Align align;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

std::string grouped(std::int64_t number);                                // 4,253,864
std::string shortened_path(const std::string& path, std::size_t width);  // "...tail" if longer
std::string shortened_name(const std::string& name, std::size_t width);  // "head..." if longer
// Breaks at spaces; lines after the first are indented by `indent`.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace gpueval
