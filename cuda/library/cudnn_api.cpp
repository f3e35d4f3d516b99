// SPDX-License-Identifier: Apache-2.0
#include "cuda/library/cudnn_api.h"

#include "cuda/library/cublaslt_api.h"
#include "cuda/library/dynamic_library.h"

namespace gpueval::cuda {
namespace {

struct Loaded {
  CudnnApi api;
  bool usable = false;
  std::string why;
};

Loaded load() {
  cublaslt_api(nullptr);  // cuDNN needs it: from the same folders
  Loaded result;
  const char* const names[] = {"libcudnn.so.9"};
  DynamicLibrary library(names);
#define GPUEVAL_FIND(name) library.find(#name, &result.api.name);
  GPUEVAL_CUDNN_FUNCTIONS(GPUEVAL_FIND)
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

const CudnnApi* cudnn_api(std::string* why) {
  const Loaded& found = loaded();
  if (found.usable) return &found.api;
  if (why != nullptr) *why = "cuDNN is missing: " + found.why;
  return nullptr;
}

std::string cudnn_version() {
  const CudnnApi* api = cudnn_api(nullptr);
  if (api == nullptr) return "";
  const std::size_t version = api->cudnnGetVersion();  // 91900
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

cudnnHandle_t cudnn_handle(const CudnnApi& api) {
  static const cudnnHandle_t handle = [&] {
    cudnnHandle_t made = nullptr;
    GPUEVAL_CUDNN_CHECK(api, cudnnCreate(&made));
    return made;  // as long as the process: destroying it after the driver is gone would crash
  }();
  return handle;
}

}  // namespace gpueval::cuda
