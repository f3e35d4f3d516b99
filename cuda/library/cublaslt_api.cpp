// SPDX-License-Identifier: Apache-2.0
#include "cuda/library/cublaslt_api.h"

#include "cuda/library/dynamic_library.h"

namespace gpueval::cuda {
namespace {

struct Loaded {
  CublasLtApi api;
  bool usable = false;
  std::string why;
};

Loaded load() {
  Loaded result;
  const char* const names[] = {"libcublasLt.so.13", "libcublasLt.so.12"};
  DynamicLibrary library(names);
#define GPUEVAL_FIND(name) library.find(#name, &result.api.name);
  GPUEVAL_CUBLASLT_FUNCTIONS(GPUEVAL_FIND)
#undef GPUEVAL_FIND
  result.usable = library.is_loaded();
  result.why = library.why();
  return result;
}

const Loaded& loaded() {
  static const Loaded result = load();
  return result;
}

}  // namespace

const CublasLtApi* cublaslt_api(std::string* why) {
  const Loaded& found = loaded();
  if (found.usable) return &found.api;
  if (why != nullptr) *why = "cuBLASLt is missing: " + found.why;
  return nullptr;
}

std::string cublaslt_version() {
  const CublasLtApi* api = cublaslt_api(nullptr);
  if (api == nullptr) return "";
  const std::size_t version = api->cublasLtGetVersion();  // 130100; 120105 before 13
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

cublasLtHandle_t cublaslt_handle(const CublasLtApi& api) {
  static const cublasLtHandle_t handle = [&] {
    cublasLtHandle_t made = nullptr;
    GPUEVAL_CUBLASLT_CHECK(api, cublasLtCreate(&made));
    return made;  // as long as the process
  }();
  return handle;
}

}  // namespace gpueval::cuda
