// SPDX-License-Identifier: Apache-2.0
// Text that others may have made, as markup shows it: no character of it is markup, and what core/printable.h makes
// visible is visible here, too.
#pragma once

#include <string>
#include <string_view>

namespace gpueval {

// For HTML and SVG, inside elements and quoted attributes.
std::string escaped(std::string_view text);
// For a cell of a Markdown table, or a line.
std::string escaped_markdown(std::string_view text);
// As code in a line of Markdown, backticks included.
std::string markdown_code(std::string_view text);

}  // namespace gpueval
