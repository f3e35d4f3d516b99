// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "gpueval/dataset.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr std::size_t kDemoImages = 2000;

}  // namespace

std::unique_ptr<Dataset> open_dataset(const std::string& path, const std::string& labels, LabelUse use,
                                      const LabelRules& rules) {
  if (path == "demo") return open_demo("test", kDemoImages);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return open_folder(path, labels, use, rules);
  if (!std::filesystem::exists(path, ignored))
    fail("{}: no such data set (expected a pickle file, a folder or 'demo')", path);
  return open_pickle(path, rules);
}

}  // namespace gpueval
