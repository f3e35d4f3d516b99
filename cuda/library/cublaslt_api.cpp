// SPDX-License-Identifier: Apache-2.0
#include "cuda/library/cublaslt_api.h"

#include "cuda/library/device_handles.h"
#include "cuda/library/loaded_api.h"

namespace gpueval::cuda {
namespace {

const LoadedApi<CublasLtApi>& loaded() {
  static constexpr const char* kNames[] = {"libcublasLt.so.13", "libcublasLt.so.12"};
  static const LoadedApi<CublasLtApi> result("cuBLASLt", kNames, [](DynamicLibrary& library, CublasLtApi& api) {
#define GPUEVAL_FIND(name) library.find(#name, &api.name);
    GPUEVAL_CUBLASLT_FUNCTIONS(GPUEVAL_FIND)
#undef GPUEVAL_FIND
  });
  return result;
}

}  // namespace

const CublasLtApi* cublaslt_api(std::string* why) { return loaded().get(why); }

std::string cublaslt_version() {
  const CublasLtApi* api = cublaslt_api(nullptr);
  return api != nullptr ? library_version_text(api->cublasLtGetVersion()) : "";
}

cublasLtHandle_t cublaslt_handle(const CublasLtApi& api) {
  static DeviceHandles<cublasLtHandle_t> handles;
  return handles.of_this_thread([&] {
    cublasLtHandle_t made = nullptr;
    GPUEVAL_CUBLASLT_CHECK(api, cublasLtCreate(&made));
    return made;
  });
}

}  // namespace gpueval::cuda
