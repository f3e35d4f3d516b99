// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <map>

#include "core/input_file.h"
#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "io/data/label_list.h"

namespace gpueval {
namespace {

namespace fs = std::filesystem;

struct LabelledFile {
  std::string name;  // relative to the folder
  int label = 0;
};

bool is_jpeg_name(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return extension == ".jpg" || extension == ".jpeg";
}

struct Listing {
  std::vector<std::string> images, folders;  // names, sorted
};

Listing list_folder(const fs::path& folder) {
  Listing listing;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.')) continue;
    std::error_code ignored;
    if (entry->is_directory(ignored)) {
      listing.folders.push_back(name);
    } else if (is_jpeg_name(entry->path())) {
      listing.images.push_back(name);
    }
  }
  if (error) fail("{}: cannot be read: {}", folder.string(), error.message());
  std::sort(listing.images.begin(), listing.images.end());
  std::sort(listing.folders.begin(), listing.folders.end());
  return listing;
}

int parse_class_id(const std::string& path, std::size_t line, std::string_view text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    fail("{}: line {}: expected a class id, found '{}'", path, line, text);
  }
  return value;
}

// "name class-id" lines; names may hold blanks.
std::map<std::string, int> parse_named_labels(const std::string& path, const std::vector<std::string>& lines) {
  std::map<std::string, int> labels;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto blank = lines[i].find_last_of(" \t");
    if (blank == std::string::npos) fail("{}: line {}: expected 'name class-id', found '{}'", path, i + 1, lines[i]);
    const int label = parse_class_id(path, i + 1, std::string_view(lines[i]).substr(blank + 1));
    std::string name = lines[i].substr(0, lines[i].find_last_not_of(" \t", blank) + 1);
    if (!labels.emplace(std::move(name), label).second) fail("{}: line {}: second label of an image", path, i + 1);
  }
  return labels;
}

std::vector<LabelledFile> flat_files(const std::string& folder, const std::vector<std::string>& images,
                                     const std::string& list) {
  const std::vector<std::string> lines = data::read_lines(list);
  if (lines.size() != images.size()) {
    fail("{}: has {} labels, but {} holds {} JPEG images", list, lines.size(), folder, images.size());
  }
  std::vector<LabelledFile> files;
  files.reserve(images.size());
  if (lines.front().find_first_of(" \t") == std::string::npos) {
    for (std::size_t i = 0; i < images.size(); ++i) files.push_back({images[i], parse_class_id(list, i + 1, lines[i])});
    return files;
  }
  const std::map<std::string, int> labels = parse_named_labels(list, lines);
  for (const std::string& image : images) {
    auto found = labels.find(image);
    if (found == labels.end()) found = labels.find(fs::path(image).stem().string());
    if (found == labels.end()) fail("{}: has no label of {}", list, (fs::path(folder) / image).string());
    files.push_back({image, found->second});
  }
  return files;
}

std::vector<LabelledFile> class_folder_files(const std::string& folder, const std::vector<std::string>& classes) {
  std::vector<LabelledFile> files;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    for (const std::string& image : list_folder(fs::path(folder) / classes[i]).images) {
      files.push_back({(fs::path(classes[i]) / image).string(), static_cast<int>(i)});
    }
  }
  return files;
}

class FolderDataset : public Dataset {
 public:
  FolderDataset(std::string path, std::vector<LabelledFile> files, bool labelled)
      : path_(std::move(path)), files_(std::move(files)), labelled_(labelled) {}
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

 private:
  std::string file(std::size_t index) const { return (fs::path(path_) / files_.at(index).name).string(); }

  std::string path_;
  std::vector<LabelledFile> files_;
  bool labelled_;
};

}  // namespace

std::unique_ptr<Dataset> open_folder(const std::string& path, const std::string& labels, LabelUse use) {
  const Listing listing = list_folder(path);
  std::vector<LabelledFile> files;
  const bool labelled = listing.images.empty() || !labels.empty();
  if (!labelled && use == LabelUse::kUnused) {
    for (const std::string& image : listing.images) files.push_back({image, -1});
  } else if (!listing.images.empty()) {
    if (labels.empty()) {
      fail_usage(
          "{}: holds {} images side by side; name their list of labels ('name class-id' or one id a line) with "
          "--labels",
          path, listing.images.size());
    }
    files = flat_files(path, listing.images, labels);
  } else {
    files = class_folder_files(path, listing.folders);
    if (!files.empty() && !labels.empty()) {
      fail_usage("{}: its sub-folders are the classes; leave out --labels {}", path, labels);
    }
  }
  if (files.empty()) fail("{}: no JPEG images (.jpg or .jpeg), neither in it nor in its sub-folders", path);
  return std::make_unique<FolderDataset>(path, std::move(files), labelled);
}

}  // namespace gpueval
