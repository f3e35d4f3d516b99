// SPDX-License-Identifier: Apache-2.0
#include "io/data/picture_folder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "core/input_file.h"
#include "gpueval/error.h"
#include "io/data/class_folders.h"
#include "io/data/label_line.h"

namespace gpueval::data {
namespace {

namespace fs = std::filesystem;
constexpr int kDepth = 8;  // of folders that wrap the pictures, and of folders below class folders

bool is_left_by_a_tool(std::string_view folder) {
  constexpr std::array<std::string_view, 7> kNames = {
      "__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "@Recycle", "System Volume Information", "lost+found"};
  return folder.starts_with('.') || std::find(kNames.begin(), kNames.end(), folder) != kNames.end();
}

void add(FolderContents& contents, const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  std::error_code ignored;  // what a link points to may be missing; for other entries nothing is asked of the system
  if (entry.is_directory(ignored)) {
    (is_left_by_a_tool(name) ? contents.passed_over : contents.folders).push_back(name);
  } else if (name.starts_with('.')) {
    ++contents.hidden;
  } else if (has_decoded_extension(name)) {
    if (!entry.is_regular_file(ignored)) InputFile(entry.path().string());  // throws what it is instead
    contents.pictures.push_back(name);
  } else if (has_picture_extension(name)) {
    contents.other_pictures.push_back(name);
  } else {
    ++contents.others;
  }
}

std::size_t pictures_in(const FolderContents& contents) {
  return contents.pictures.size() + contents.other_pictures.size();
}

std::size_t pictures_below(const fs::path& folder, const FolderContents& contents, int depth) {
  std::size_t count = 0;
  for (const std::string& name : contents.folders) {
    std::error_code ignored;
    if (depth == 0 || fs::is_symlink(folder / name, ignored)) continue;  // a link may lead back
    const FolderContents inner = list_folder((folder / name).string());
    count += pictures_in(inner) + pictures_below(folder / name, inner, depth - 1);
  }
  return count;
}

void list_classes(PictureFolder& folder) {
  folder.folders.clear();
  folder.empty.clear();
  const fs::path where = folder.where();
  for (const std::string& name : folder.contents.folders) {
    ClassFolder inner{name, list_folder((where / name).string())};
    // Beside pictures these folders are not the data: not worth a walk through all that is below.
    if (!folder.flat()) inner.deeper = pictures_below(where / name, inner.contents, kDepth);
    if (inner.contents.has_pictures() || inner.deeper > 0) {
      folder.folders.push_back(std::move(inner));
    } else {
      folder.empty.push_back(name);
    }
  }
}

std::string counted(std::size_t count, const char* one, const char* several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

}  // namespace

FolderContents list_folder(const std::string& path) {
  FolderContents contents;
  std::error_code error;
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) add(contents, *entry);
  if (error) fail("{}: cannot be read: {}", path, error.message());
  for (auto* names : {&contents.pictures, &contents.other_pictures, &contents.folders, &contents.passed_over})
    std::sort(names->begin(), names->end());
  return contents;
}

std::string PictureFolder::where() const { return inside.empty() ? path : (fs::path(path) / inside).string(); }

PictureFolder find_pictures(const std::string& path, bool has_list, const LabelRules& rules) {
  PictureFolder folder{.path = path};
  for (int depth = 0;; ++depth) {
    folder.contents = list_folder(folder.where());
    list_classes(folder);
    if (folder.flat() || folder.folders.size() != 1 || depth == kDepth) return folder;
    const ClassFolder& only = folder.folders.front();
    if (only.contents.has_pictures()) {
      const bool one_class = !has_list && rules.classes <= 1;
      if (one_class || names_a_class(only.name, rules)) return folder;
    }
    folder.inside = (fs::path(folder.inside) / only.name).string();
  }
}

void tell_passed_over(const PictureFolder& folder, GroundTruth& truth) {
  FolderContents sum = folder.contents;
  std::size_t deeper = 0;
  for (const ClassFolder& inner : folder.folders) {
    deeper += inner.deeper + (folder.flat() ? pictures_in(inner.contents) : 0);
    if (folder.flat()) continue;
    sum.hidden += inner.contents.hidden;
    sum.others += inner.contents.others;
    for (const std::string& name : inner.contents.other_pictures) sum.other_pictures.push_back(inner.name + "/" + name);
    for (const std::string& name : inner.contents.passed_over) sum.passed_over.push_back(inner.name + "/" + name);
  }
  const std::string where = folder.where();
  if (!sum.other_pictures.empty()) {
    const std::size_t count = sum.other_pictures.size();
    truth.warnings.push_back(fmt::format(
        "{} of {} {} no JPEG or PNG by the name ({}{}) and {} left out.", counted(count, "picture", "pictures"), where,
        count == 1 ? "is" : "are", sum.other_pictures.front(), count > 1 ? ", ..." : "", count == 1 ? "is" : "are"));
  }
  if (deeper > 0) {
    truth.warnings.push_back(
        fmt::format("{} of {} {} below {} and {} left out.", counted(deeper, "picture", "pictures"), where,
                    deeper == 1 ? "lies in a folder" : "lie in folders",
                    folder.flat() ? "the others" : "the class folders", deeper == 1 ? "is" : "are"));
  }
  std::vector<std::string> parts;
  if (const std::size_t n = folder.empty.size(); n > 0 && !folder.flat())
    parts.push_back(counted(n, "folder", "folders") + " without pictures (" + folder.empty.front() +
                    (n > 1 ? ", ...)" : ")"));
  if (const std::size_t n = sum.passed_over.size(); n > 0)
    parts.push_back(counted(n, "folder", "folders") + " that a tool left (" + sum.passed_over.front() +
                    (n > 1 ? ", ...)" : ")"));
  if (sum.hidden > 0) parts.push_back(counted(sum.hidden, "hidden file", "hidden files"));
  if (sum.others > 0) parts.push_back(counted(sum.others, "file that is no picture", "files that are no pictures"));
  if (!parts.empty()) truth.notes.push_back(fmt::format("Passed over in {}: {}.", where, fmt::join(parts, ", ")));
}

}  // namespace gpueval::data
