// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <fstream>

#include "core/sha256.h"
#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "io/data/label_list.h"

namespace gpueval {
namespace {

// "n01440764": WordNet's form of a synset.
bool is_synset(std::string_view word) {
  return word.size() == 9 && word[0] == 'n' && word.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

}  // namespace

namespace data {

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail("{}: cannot be opened", path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    const auto last = line.find_last_not_of(" \t\r");
    line.erase(last == std::string::npos ? 0 : last + 1);
    lines.push_back(line);
  }
  if (file.bad()) fail("{}: cannot be read", path);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.empty()) fail("{}: is empty, expected one entry a line", path);
  return lines;
}

}  // namespace data

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
    if (space == std::string::npos || !is_synset(std::string_view(name).substr(0, space))) continue;
    const auto begin = name.find_first_not_of(" \t", space);
    name.erase(0, begin);
  }
  return names;
}

}  // namespace gpueval
