// SPDX-License-Identifier: Apache-2.0
#include "shapes.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gpueval/error.h"

namespace gpueval::bench {

std::vector<ShapeRow> load_shapes() {
  const char* chosen = std::getenv("GPUEVAL_BENCH_SHAPES");
  const std::filesystem::path folder = chosen != nullptr ? chosen : GPUEVAL_BENCH_SHAPES;
  if (!std::filesystem::is_directory(folder)) {
    fail("{}: expected a folder of shape files (GPUEVAL_BENCH_SHAPES names it)", folder.string());
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<ShapeRow> rows;
  for (const auto& file : files) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      const std::string text = line.substr(0, line.find(' '));  // "<desc> x3" in a network
      if (!text.empty() && text[0] != '#') rows.push_back({file.stem().string(), parse_conv_desc(text)});
    }
  }
  return rows;
}

}  // namespace gpueval::bench
