// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "models/demo.h"
#include "session/prepare.h"

namespace gpueval {
namespace {

namespace fs = std::filesystem;
constexpr int kDepth = 4;  // of sub-folders below $GPUEVAL_DATA

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

void collect_folders(const fs::path& folder, int depth, std::vector<fs::path>& result) {
  result.push_back(folder);
  if (depth == 0) return;
  std::error_code error;
  std::vector<fs::path> inner;
  for (fs::directory_iterator it(folder, fs::directory_options::skip_permission_denied, error), end;
       !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored) && !it->is_symlink(ignored)) inner.push_back(it->path());
  }
  std::sort(inner.begin(), inner.end());  // the same find on every file system
  for (const fs::path& path : inner) collect_folders(path, depth - 1, result);
}

std::vector<fs::path> folders() {
  std::vector<fs::path> result;
  if (const std::string home = environment("HOME"); !home.empty())
    result.push_back(fs::path(home) / ".keras" / "models");
  if (const std::string data = environment("GPUEVAL_DATA"); !data.empty()) collect_folders(data, kDepth, result);
  result.push_back(".");
  return result;
}

}  // namespace

std::optional<std::string> find_file(const std::vector<std::string>& names) {
  const std::vector<fs::path> places = folders();
  for (const std::string& name : names) {
    for (const fs::path& folder : places) {
      if (is_file(folder / name)) return (folder == "." ? fs::path(name) : folder / name).string();
    }
  }
  return std::nullopt;
}

std::vector<FoundFile> found_files(const Plan& plan) {
  std::vector<FoundFile> files;
  const auto add = [&](const char* what, const std::vector<std::string>& names) {
    if (const auto path = find_file(names)) files.push_back({what, *path});
  };
  bool has_images = !plan.data.path.empty();
  if (plan.model.file.empty()) {
    const auto [spec, alpha] = named_model(plan.model);
    if (plan.model.weights.empty() && spec->weight_files) {
      add("the weights", spec->weight_files({.alpha = alpha.value_or(1), .variant = ""}));
    }
    has_images |= embeds_weights(spec->name);
  }
  if (has_images) return files;
  for (const char* name : {"val224_compressed.pkl", "val224_sample.pkl"}) add("the images", {name});
  return files;
}

std::string searched_places() {
  const std::string data = environment("GPUEVAL_DATA");
  return "~/.keras/models, $GPUEVAL_DATA (" + (data.empty() ? "not set" : data) + ") and the current folder";
}

}  // namespace gpueval
