// SPDX-License-Identifier: Apache-2.0
// The part of the CUDA runtime that gpueval_gpu uses, over the interpreter: linked into test_ptx instead of libcudart.
// So everything that nvcc made runs here as it would on a GPU: host code, launches and, as PTX, kernels. The device
// has compute capability 9.0, so that it is asked for everything that there is.
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "ptx/cudart.h"
#include "ptx/device_memory.h"

namespace {

constexpr std::size_t kMemory = std::size_t{8} << 30, kL2 = std::size_t{50} << 20;
constexpr int kMultiprocessors = 132;
thread_local std::string last_message;
thread_local cudaError_t last_error = cudaSuccess;

}  // namespace

namespace gpueval::ptx {

cudaError_t set_error(cudaError_t error, const std::string& message) {
  last_message = message;
  last_error = error;
  return error;
}

}  // namespace gpueval::ptx

using gpueval::ptx::set_error;

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
// Of a launch that failed: what the interpreter said.
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorLaunchFailure ? last_message.c_str() : cudaGetErrorName(error);
}
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    default:
      return "cudaErrorInvalidValue";
  }
}

// ---- the device

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::strcpy(properties->name, "PTX interpreter");
  properties->totalGlobalMem = kMemory;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor:
      *value = 9;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = 0;
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = kMultiprocessors;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = gpueval::ptx::kSharedPerBlock;
      return cudaSuccess;
    case cudaDevAttrL2CacheSize:
      *value = kL2;
      return cudaSuccess;
    default:
      return set_error(cudaErrorInvalidValue, "an attribute that the interpreter has not");
  }
}
cudaError_t cudaDeviceGetPCIBusId(char* id, int length, int) {
  if (length > 0) id[0] = '\0';
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) { return cudaDriverGetVersion(version); }

// ---- memory

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  *memory = gpueval::ptx::allocate(bytes);
  return *memory != nullptr ? cudaSuccess : set_error(cudaErrorMemoryAllocation, "no memory left");
}
cudaError_t cudaFree(void* memory) {
  const bool known = memory == nullptr || gpueval::ptx::release(memory);
  return known ? cudaSuccess : set_error(cudaErrorInvalidValue, "not allocated memory is freed");
}
cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  *memory = std::malloc(bytes);
  return *memory != nullptr ? cudaSuccess : set_error(cudaErrorMemoryAllocation, "no memory left");
}
cudaError_t cudaFreeHost(void* memory) {
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  *free_bytes = *total_bytes = kMemory;
  return cudaSuccess;
}
