// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <string_view>

#include "core/sha256.h"
#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "io/data/imagenet_classes.h"
#include "io/data/text_lines.h"

namespace gpueval {
namespace {

// A label map's own bytes would have to be read for nothing else: its picture's name stands for it.
std::string truth_text(const Dataset& data, std::size_t index) {
  if (data.truth() == TruthKind::kLabelMap) return data.name(index);
  if (data.truth() != TruthKind::kBoxes) return fmt::format("{}", data.label(index));
  std::string text;
  for (const TruthBox& box : data.boxes(index)) {
    text += fmt::format("{} {} {} {} {} {}{}{},", box.category, box.box.x, box.box.y, box.box.width, box.box.height,
                        box.area, box.crowd ? " crowd" : "", box.difficult ? " difficult" : "");
  }
  return text;
}

}  // namespace

std::string target_sha256(const Dataset& data, std::size_t first, std::size_t count) {
  if (first > data.size() || count > data.size() - first) {
    fail("{}: images {} to {} asked for, but there are {}", data.path(), first, first + count, data.size());
  }
  Sha256 sum;
  for (std::size_t i = first; i < first + count; ++i) sum.update(truth_text(data, i) + '\n');
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
