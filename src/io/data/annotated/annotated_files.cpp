// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/annotated_files.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "gpueval/error.h"
#include "io/data/label_line.h"
#include "io/data/picture_folder.h"

namespace gpueval::data {

std::vector<std::string> files_ending(const std::string& folder, std::string_view suffix) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (name.starts_with('.') || !name.ends_with(suffix)) continue;
    name.resize(name.size() - suffix.size());
    names.push_back(std::move(name));
  }
  if (error) fail("{}: cannot be read: {}", folder, error.message());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> folders_in(const std::string& folder) {
  std::error_code ignored;
  if (!std::filesystem::exists(folder, ignored)) return {};
  return list_folder(folder).folders;
}

PictureStems::PictureStems(std::string folder) : folder_(std::move(folder)) {
  for (const std::string& name : list_folder(folder_).pictures) {
    const std::string stem(without_picture_extension(name));
    if (!names_.emplace(stem, name).second) doubled_.insert(stem);
  }
}

const std::string* PictureStems::find(const std::string& stem) const {
  const auto found = names_.find(stem);
  if (found == names_.end()) return nullptr;
  if (doubled_.contains(stem)) fail("{}: expected one picture {}, found several extensions of it", folder_, stem);
  return &found->second;
}

std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 12;
  if (names.size() <= kNamed) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} others", fmt::join(std::span(names).first(kNamed), ", "), names.size() - kNamed);
}

void check_none_missing(const std::string& where, const std::string& what, std::size_t count,
                        const std::vector<std::string>& missing) {
  if (missing.empty()) return;
  fail("{}: {} of {} {} {} missing, the first is {}", where, missing.size(), count, what,
       missing.size() == 1 ? "is" : "are", missing.front());
}

}  // namespace gpueval::data
