// SPDX-License-Identifier: Apache-2.0
// Libraries loaded at run time, so that one program starts with and without them. They stay loaded.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace gpueval::cuda {

// Files to try for a library, best first: in each folder of `folders` (GPUEVAL_CUDA_LIBRARIES, colon-separated) and in
// */lib, nvidia/*/lib below it (where PyPI's nvidia packages have them); then the bare names, for the loader. Folders
// that are not absolute are passed over.
std::vector<std::string> library_candidates(std::span<const char* const> names, const std::string& folders);

class DynamicLibrary {
 public:
  // Loads the first of the names that is found.
  explicit DynamicLibrary(std::span<const char* const> names);
  bool is_loaded() const { return handle_ != nullptr; }
  const std::string& path() const { return path_; }
  const std::string& why() const { return why_; }  // not loaded: one sentence
  // Sets *function; a missing symbol unloads nothing, but why() then names it and is_loaded() becomes false.
  template <typename Function>
  void find(const char* name, Function* function) {
    *function = reinterpret_cast<Function>(symbol(name));
  }

 private:
  void* symbol(const char* name);
  void* handle_ = nullptr;
  std::string path_, why_;
};

}  // namespace gpueval::cuda
