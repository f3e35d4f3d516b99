// SPDX-License-Identifier: Apache-2.0
#include "cuda/library/cudnn_api.h"

#include "cuda/library/cublaslt_api.h"
#include "cuda/library/device_handles.h"
#include "cuda/library/loaded_api.h"

namespace gpueval::cuda {
namespace {

const LoadedApi<CudnnApi>& loaded() {
  cublaslt_api(nullptr);  // cuDNN needs it: from the same folders
  static constexpr const char* kNames[] = {"libcudnn.so.9"};
  static const LoadedApi<CudnnApi> result("cuDNN", kNames, [](DynamicLibrary& library, CudnnApi& api) {
#define GPUEVAL_FIND(name) library.find(#name, &api.name);
    GPUEVAL_CUDNN_FUNCTIONS(GPUEVAL_FIND)
#undef GPUEVAL_FIND
  });
  return result;
}

}  // namespace

const CudnnApi* cudnn_api(std::string* why) { return loaded().get(why); }

std::string cudnn_version() {
  const CudnnApi* api = cudnn_api(nullptr);
  return api != nullptr ? library_version_text(api->cudnnGetVersion()) : "";
}

cudnnHandle_t cudnn_handle(const CudnnApi& api) {
  static DeviceHandles<cudnnHandle_t> handles;
  return handles.of_this_thread([&] {
    cudnnHandle_t made = nullptr;
    GPUEVAL_CUDNN_CHECK(api, cudnnCreate(&made));
    return made;
  });
}

}  // namespace gpueval::cuda
