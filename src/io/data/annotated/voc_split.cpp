// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/voc_split.h"

#include <filesystem>
#include <map>
#include <utility>

#include "core/near_miss.h"
#include "gpueval/error.h"
#include "io/data/text_lines.h"

namespace gpueval::data {
namespace {

// "000012 -1" -> "000012"; a picture may be named that, too.
std::string id_of(const std::string& line, const PictureStems& pictures) {
  const auto blank = line.find_last_of(" \t");
  if (blank == std::string::npos || pictures.find(line) != nullptr) return line;
  const std::string word = line.substr(blank + 1);
  if (word != "1" && word != "0" && word != "-1") return line;
  return line.substr(0, line.find_last_not_of(" \t", blank) + 1);
}

[[noreturn]] void no_split(const std::string& file, const std::string& folder, const std::string& split) {
  const std::vector<std::string> there = files_ending(folder, ".txt");
  if (there.empty()) fail_usage("{}: no such list, and {} has no other; leave the split out for all", file, folder);
  fail_usage("{}: no such list; there are {}{}", file, some_of(there), did_you_mean(split, there));
}

void find_pictures_of(VocSplit& split, const PictureStems& pictures) {
  std::vector<std::string> missing;
  for (const std::string& id : split.ids) {
    const std::string* name = pictures.find(id);
    if (name == nullptr) missing.push_back(id + " (.jpg, .jpeg or .png), which " + split.where + " names");
    split.pictures.push_back(name == nullptr ? "" : *name);
  }
  check_none_missing(pictures.folder(), "pictures", split.ids.size(), missing);
}

}  // namespace

VocSplit read_voc_split(const std::string& folder, const std::string& split, const PictureStems& pictures) {
  VocSplit result{.where = (std::filesystem::path(folder) / (split + ".txt")).string()};
  std::error_code ignored;
  if (!std::filesystem::exists(result.where, ignored)) no_split(result.where, folder, split);
  std::map<std::string, std::size_t> seen;
  const std::vector<std::string> lines = read_lines(result.where);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    std::string id = id_of(lines[i], pictures);
    const auto [first, fresh] = seen.emplace(id, i + 1);
    if (!fresh) fail("{}: line {}: {} stands in line {} already", result.where, i + 1, id, first->second);
    result.ids.push_back(std::move(id));
    result.numbers.push_back(static_cast<std::int64_t>(i) + 1);
  }
  find_pictures_of(result, pictures);
  return result;
}

VocSplit whole_voc(const std::string& folder, std::string_view suffix, const PictureStems& pictures) {
  VocSplit result{.where = folder, .ids = files_ending(folder, suffix)};
  if (result.ids.empty()) fail("{}: expected annotations of pictures (*{}), found none", folder, suffix);
  for (std::size_t i = 0; i < result.ids.size(); ++i) result.numbers.push_back(static_cast<std::int64_t>(i) + 1);
  find_pictures_of(result, pictures);
  return result;
}

}  // namespace gpueval::data
