// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace gpueval::data {

// Lines of a text file as people's tools write it: a byte-order mark, '\r' and blanks around a line are taken away, and
// so are empty lines at the end. Error for a file that is no regular one, no UTF-8 text (UTF-16 is named), or empty.
std::vector<std::string> read_lines(const std::string& path);

}  // namespace gpueval::data
