// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <utility>

#include "core/file_state.h"
#include "core/input_file.h"
#include "core/sha256.h"
#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "io/data/class_folders.h"
#include "io/data/label_list.h"
#include "io/data/picture_folder.h"

namespace gpueval {
namespace {

namespace fs = std::filesystem;

struct LabelledFile {
  std::string name;  // relative to the folder
  int label = 0;
};

struct LabelledFiles {
  std::vector<LabelledFile> files;
  GroundTruth truth;
  bool labelled = true;
};

LabelledFiles unlabelled_files(const data::PictureFolder& folder) {
  LabelledFiles result{.labelled = false};
  for (const std::string& name : folder.contents.pictures)
    result.files.push_back({(fs::path(folder.inside) / name).string(), -1});
  return result;
}

LabelledFiles flat_files(const data::PictureFolder& folder, const std::string& list, const LabelRules& rules) {
  const std::string where = folder.where();
  if (list.empty() && !folder.folders.empty()) {
    fail_usage(
        "{}: holds pictures ({}, ...) beside folders with pictures ({}, ...); take one of the two away, or name the "
        "list "
        "of labels of the former with --labels",
        where, folder.contents.pictures.front(), folder.folders.front().name);
  }
  if (list.empty()) {
    fail_usage(
        "{}: holds {} images side by side; name their list of labels ('name class-id' or one id a line) with "
        "--labels{}",
        where, folder.contents.pictures.size(),
        folder.inside.empty() ? "" : " (as the only folder with pictures it is not taken for a class)");
  }
  data::MatchedLabels matched = data::match_labels(data::read_label_list(list, rules), where, folder.contents.pictures);
  LabelledFiles result{{}, std::move(matched.truth)};
  for (std::size_t i = 0; i < matched.labels.size(); ++i)
    result.files.push_back({(fs::path(folder.inside) / folder.contents.pictures[i]).string(), matched.labels[i]});
  return result;
}

LabelledFiles class_folder_files(const data::PictureFolder& folder, const LabelRules& rules) {
  std::vector<std::string> names;
  std::vector<const data::FolderContents*> contents;
  for (const data::ClassFolder& inner : folder.folders) {
    if (!inner.contents.has_pictures()) continue;
    names.push_back(inner.name);
    contents.push_back(&inner.contents);
  }
  if (names.empty() && !folder.folders.empty()) {
    fail("{}: its pictures lie deeper, as in {}; name one of its folders ({}, ...) instead", folder.where(),
         folder.folders.front().name, folder.folders.front().name);
  }
  const data::ClassIds classes = data::class_ids_of_folders(folder.where(), names, folder.empty, rules);
  LabelledFiles result;
  result.truth.mapping = classes.mapping;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const fs::path class_folder = fs::path(folder.inside) / names[i];
    for (const std::string& image : contents[i]->pictures)
      result.files.push_back({(class_folder / image).string(), classes.ids[i]});
  }
  return result;
}

class FolderDataset : public Dataset {
 public:
  FolderDataset(std::string path, LabelledFiles files)
      : path_(std::move(path)),
        files_(std::move(files.files)),
        truth_(std::move(files.truth)),
        labelled_(files.labelled) {}
  std::size_t size() const override { return files_.size(); }
  int label(std::size_t index) const override { return files_.at(index).label; }
  bool labelled() const override { return labelled_; }
  Image decode(std::size_t index) const override { return read_image(file(index)); }
  std::uint64_t content_bytes(std::size_t index) const override {
    std::error_code error;
    const std::uint64_t bytes = fs::file_size(file(index), error);
    if (error) fail("{}: its size cannot be read: {}", file(index), error.message());
    return bytes;
  }
  std::vector<std::uint8_t> content(std::size_t index) const override {
    const InputFile source(file(index));
    std::vector<std::uint8_t> bytes(source.size());
    source.read(0, bytes);
    return bytes;
  }
  std::string name(std::size_t index) const override { return files_.at(index).name; }
  std::string path() const override { return path_; }
  std::string kind() const override { return "folder"; }
  bool images_are_cropped() const override { return false; }
  GroundTruth ground_truth() const override { return truth_; }
  std::string state() const override {
    Sha256 sum;
    for (const LabelledFile& file : files_) {
      const std::string state = file_state((fs::path(path_) / file.name).string());
      sum.update(fmt::format("{} {} {}\n", file.name.size(), file.name, state));
    }
    return sum.hex();
  }

 private:
  std::string file(std::size_t index) const { return (fs::path(path_) / files_.at(index).name).string(); }

  std::string path_;
  std::vector<LabelledFile> files_;
  GroundTruth truth_;
  bool labelled_;
};

std::string no_pictures(const data::PictureFolder& folder) {
  std::size_t others = folder.contents.other_pictures.size();
  for (const data::ClassFolder& inner : folder.folders) others += inner.contents.other_pictures.size();
  std::string text =
      folder.path + ": no JPEG or PNG images (.jpg, .jpeg or .png), neither in it nor in its sub-folders";
  if (others > 0) text += fmt::format("; {} other pictures are there, convert them to JPEG or PNG", others);
  return text;
}

}  // namespace

std::unique_ptr<Dataset> open_folder(const std::string& path, const std::string& labels, LabelUse use,
                                     const LabelRules& rules) {
  const data::PictureFolder folder = data::find_pictures(path, !labels.empty(), rules);
  if (!folder.flat() && folder.folders.empty()) fail("{}", no_pictures(folder));
  if (!folder.flat() && !labels.empty())
    fail_usage("{}: its sub-folders are the classes; leave out --labels {}", path, labels);
  const bool unlabelled = folder.flat() && labels.empty() && use == LabelUse::kUnused;
  LabelledFiles files = unlabelled      ? unlabelled_files(folder)
                        : folder.flat() ? flat_files(folder, labels, rules)
                                        : class_folder_files(folder, rules);
  if (files.files.empty()) fail("{}", no_pictures(folder));
  data::tell_passed_over(folder, files.truth);
  return std::make_unique<FolderDataset>(path, std::move(files));
}

}  // namespace gpueval
