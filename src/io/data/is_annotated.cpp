// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "gpueval/dataset.h"

namespace gpueval {

bool is_annotated(const std::string& folder) {
  const auto has = [&](const char* name) {
    std::error_code ignored;
    return std::filesystem::is_directory(std::filesystem::path(folder) / name, ignored);
  };
  return has("JPEGImages") || has("annotations") || (has("leftImg8bit") && has("gtFine")) ||
         (has("images") && has("masks"));
}

}  // namespace gpueval
