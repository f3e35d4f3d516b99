// SPDX-License-Identifier: Apache-2.0
// Kernels as nvcc's host code registers and launches them.
#include <cuda_runtime_api.h>

#include <cstring>
#include <map>
#include <memory>

#include "emulator/emulator.h"
#include "gpueval/error.h"
#include "ptx/cudart.h"
#include "ptx/launch.h"
#include "ptx/library.h"

namespace {

struct Registered {
  std::string name;
  std::size_t shared_limit = 48u << 10;
};
std::map<const void*, Registered>& registered() {  // filled before main
  static std::map<const void*, Registered> all;
  return all;
}

gpueval::ptx::Launch make_launch(const Registered& function, dim3 grid, dim3 block, void** arguments,
                                 std::size_t shared_bytes) {
  const gpueval::ptx::Kernel& kernel = gpueval::ptx::library().find(function.name);
  if (shared_bytes > function.shared_limit || shared_bytes > gpueval::ptx::kSharedPerBlock) {
    gpueval::fail("PTX: {} bytes of shared memory are more than the kernel was allowed", shared_bytes);
  }
  if (block.x == 0 || block.x > kernel.max_threads || block.y != 1 || block.z != 1) {
    gpueval::fail("PTX: {} threads, and the kernel was compiled for at most {}", block.x, kernel.max_threads);
  }
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535) gpueval::fail("PTX: no such grid");
  gpueval::ptx::Launch launch{.kernel = &kernel,
                              .blocks = {grid.x, grid.y, grid.z},
                              .threads = block.x,
                              .shared_bytes = shared_bytes,
                              .parameters = std::vector<std::byte>(kernel.parameter_bytes)};
  std::memcpy(launch.parameters.data(), arguments[0], kernel.parameter_bytes);  // one struct (cuda/prim/target.h)
  return launch;
}

}  // namespace

// ---- called by constructors in the objects that nvcc made

extern "C" {
void** __cudaRegisterFatBinary(void* binary) { return static_cast<void**>(binary); }
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
void __cudaRegisterFunction(void**, const char* host_function, char*, const char* name, int, uint3*, uint3*, dim3*,
                            dim3*, int*) {
  registered()[host_function].name = name;
}
// Of kernel<<<>>>, which nothing here uses.
cudaError_t __cudaGetKernel(cudaKernel_t*, const void*) { return cudaErrorInvalidValue; }
cudaError_t __cudaPopCallConfiguration(dim3*, dim3*, std::size_t*, void*) { return cudaErrorInvalidValue; }
cudaError_t __cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, std::size_t, cudaStream_t) {
  return cudaErrorInvalidValue;
}
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  const bool possible =
      attribute == cudaFuncAttributeMaxDynamicSharedMemorySize && value <= gpueval::ptx::kSharedPerBlock;
  if (!possible) return gpueval::ptx::set_error(cudaErrorInvalidValue, "an attribute that the interpreter has not");
  registered().at(function).shared_limit = static_cast<std::size_t>(value);
  return cudaSuccess;
}

// The text is that of compute_80, but for what only Hopper has, so nothing is launched early.
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
  *attributes = {};
  attributes->ptxVersion = registered().contains(function) ? 80 : 0;
  return cudaSuccess;
}
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t*, const void*, void**) {
  return gpueval::ptx::set_error(cudaErrorNotSupported, "PTX: kernels run one behind the other");
}

// In one of the emulator's orders of execution (emulator::set_options), as far as there is one here.
cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments, std::size_t shared_bytes,
                             cudaStream_t stream) {
  try {
    const auto launch = std::make_shared<gpueval::ptx::Launch>(
        make_launch(registered().at(function), grid, block, arguments, shared_bytes));
    return gpueval::ptx::enqueue(stream, [launch] {
      const gpueval::emulator::Options options = gpueval::emulator::options();
      launch->late_copies = options.late_copies;
      launch->descending = options.schedule != gpueval::emulator::Schedule::kAscending;
      gpueval::ptx::run(*launch);
    });
  } catch (const std::exception& failure) {
    return gpueval::ptx::set_error(cudaErrorLaunchFailure, failure.what());
  }
}
