// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace gpueval::data {

// Lines of a text file without trailing blanks and without empty lines at the end. Error if unreadable or empty.
std::vector<std::string> read_lines(const std::string& path);

}  // namespace gpueval::data
