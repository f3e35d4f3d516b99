// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <string_view>

#include "core/sha256.h"
#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "io/data/imagenet_classes.h"
#include "io/data/text_lines.h"

namespace gpueval {
std::string target_sha256(const Dataset& data, std::size_t first, std::size_t count) {
  if (first > data.size() || count > data.size() - first) {
    fail("{}: images {} to {} asked for, but there are {}", data.path(), first, first + count, data.size());
  }
  Sha256 sum;
  for (std::size_t i = first; i < first + count; ++i) sum.update(std::string_view(fmt::format("{}\n", data.label(i))));
  return sum.hex();
}

std::vector<std::string> read_class_names(const std::string& path) {
  std::vector<std::string> names = data::read_lines(path);
  for (std::string& name : names) {
    const auto space = name.find_first_of(" \t");
    if (space == std::string::npos || !data::is_synset(std::string_view(name).substr(0, space))) continue;
    const auto begin = name.find_first_not_of(" \t", space);
    name.erase(0, begin);
  }
  return names;
}

}  // namespace gpueval
