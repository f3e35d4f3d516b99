// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "io/data/byte_source.h"
#include "io/data/npy_header.h"

namespace gpueval {
namespace {

constexpr std::size_t kDemoImages = 2000;

bool is_array(const std::string& path) { return path.ends_with(".npy") || data::is_npy(data::FileSource(path)); }

}  // namespace

std::unique_ptr<Dataset> open_dataset(const std::string& path, const std::string& labels, LabelUse use,
                                      const LabelRules& rules) {
  if (path == "demo") return open_demo("test", kDemoImages);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return open_folder(path, labels, use, rules);
  if (!std::filesystem::exists(path, ignored))
    fail("{}: no such data set (expected a pickle file, an .npy, a folder or 'demo')", path);
  if (path.ends_with(".npz")) fail("{}: is an archive of arrays; save the one of the images alone (np.save)", path);
  if (is_array(path)) return open_npy(path, labels, use, rules);
  return open_pickle(path, rules);
}

void Dataset::read(std::size_t index, std::span<float>) const { fail("{}: {} is no array", path(), name(index)); }
LabelMap Dataset::label_map(std::size_t index) const { fail("{}: {} has no label map", path(), name(index)); }
std::vector<TruthBox> Dataset::boxes(std::size_t index) const { fail("{}: {} has no boxes", path(), name(index)); }

}  // namespace gpueval
