// SPDX-License-Identifier: Apache-2.0
#include "cuda/library/dynamic_library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace gpueval::cuda {
namespace {

namespace fs = std::filesystem;

// <folder>/<any>/lib, sorted by name.
std::vector<fs::path> package_folders(const fs::path& folder) {
  std::vector<fs::path> result;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path lib = entry->path() / "lib";
    if (fs::is_directory(lib, error)) result.push_back(lib);
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

std::vector<std::string> library_candidates(std::span<const char* const> names, const std::string& folders) {
  std::vector<std::string> result;
  const auto add = [&](const fs::path& folder) {
    std::error_code error;
    for (const char* name : names) {
      if (fs::exists(folder / name, error)) result.push_back((folder / name).string());
    }
  };
  std::size_t begin = 0;
  while (begin < folders.size()) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    const fs::path folder = folders.substr(begin, end - begin);
    begin = end + 1;
    if (!folder.is_absolute()) continue;  // an empty one, too: never the folder that the program is started in
    add(folder);
    for (const fs::path& lib : package_folders(folder)) add(lib);
    for (const fs::path& lib : package_folders(folder / "nvidia")) add(lib);
  }
  result.insert(result.end(), names.begin(), names.end());
  return result;
}

DynamicLibrary::DynamicLibrary(std::span<const char* const> names) {
  const char* folders = std::getenv("GPUEVAL_CUDA_LIBRARIES");
  for (const std::string& file : library_candidates(names, folders != nullptr ? folders : "")) {
    // Global: cuDNN's parts look for cuBLAS among what is loaded.
    handle_ = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (handle_ != nullptr) {
      path_ = file;
      return;
    }
    const char* error = dlerror();
    why_ = error != nullptr ? error : "unknown reason";
  }
  why_ = fmt::format("{} not found ({}); GPUEVAL_CUDA_LIBRARIES can name its folder by its absolute path",
                     fmt::join(names, " or "), why_);
}

void* DynamicLibrary::symbol(const char* name) {
  if (handle_ == nullptr) return nullptr;
  void* const found = dlsym(handle_, name);
  if (found == nullptr) {
    why_ = fmt::format("{} has no function {}: another version than this program was built for", path_, name);
    handle_ = nullptr;
  }
  return found;
}

}  // namespace gpueval::cuda
