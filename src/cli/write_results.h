// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace gpueval::cli {

// A file that a result is written to, if the path is not empty.
struct ResultFile {
  std::string path;
  std::function<std::string()> text;
};
// Writes all that can be written, then throws Error naming the first file that could not.
void write_results(const std::vector<ResultFile>& files);

}  // namespace gpueval::cli
