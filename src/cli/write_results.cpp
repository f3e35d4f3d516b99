// SPDX-License-Identifier: Apache-2.0
#include "cli/write_results.h"

#include <fstream>

#include "gpueval/error.h"

namespace gpueval::cli {

void write_results(const std::vector<ResultFile>& files) {
  std::string failed;
  for (const ResultFile& result : files) {
    if (result.path.empty()) continue;
    std::ofstream file(result.path, std::ios::binary);
    file << result.text();
    file.close();
    if (!file && failed.empty()) failed = result.path;
  }
  if (!failed.empty()) fail("{}: the result could not be written", failed);
}

}  // namespace gpueval::cli
