// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace gpueval {

// Text for HTML and SVG, inside elements and quoted attributes. Bytes that are no UTF-8 become U+FFFD.
std::string escaped(std::string_view text);
// Text for a cell of a Markdown table.
std::string escaped_markdown(std::string_view text);

}  // namespace gpueval
