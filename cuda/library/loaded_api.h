// SPDX-License-Identifier: Apache-2.0
// A library's functions, loaded at run time, or why they are missing.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <string>

#include "cuda/library/dynamic_library.h"

namespace gpueval::cuda {

// Api: a struct of function pointers.
template <typename Api>
class LoadedApi {
 public:
  // find(library, api) looks every function up.
  template <typename Find>
  LoadedApi(const char* title, std::span<const char* const> names, Find&& find) {
    DynamicLibrary library(names);
    find(library, api_);
    if (!library.is_loaded()) why_ = fmt::format("{} is missing: {}", title, library.why());
  }
  // Null where it is missing, and *why (may be null) says so in one sentence.
  const Api* get(std::string* why) const {
    if (why_.empty()) return &api_;
    if (why != nullptr) *why = why_;
    return nullptr;
  }

 private:
  Api api_;
  std::string why_;
};

// 130100 -> "13.1.0": cuDNN counts so, cuBLASLt too.
inline std::string library_version_text(std::size_t version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace gpueval::cuda
