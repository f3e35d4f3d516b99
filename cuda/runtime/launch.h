// SPDX-License-Identifier: Apache-2.0
// launch(stream, "conv_s8_naive", grid, block, shared_bytes, kernel<...>, params) and launch_early(), the same for
// kernels that wait for the one in front themselves (prim/previous_kernel.h): the ways to start a kernel. Errors are
// Errors naming the kernel; on the GPU they also surface at the next synchronisation.
#pragma once

#include <cstddef>

#include "cuda/prim/target.h"
#include "cuda/runtime/stream.h"

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#else
#include "emulator/early_kernel.h"
#include "emulator/emulator.h"
#include "emulator/stream.h"
#endif

namespace gpueval::cuda {
// Throws Error "kernel 'NAME' could not be launched: REASON".
[[noreturn]] void fail_launch(const char* kernel, const char* reason);
}  // namespace gpueval::cuda

namespace gpueval::GPUEVAL_TARGET {

struct Grid {
  unsigned x = 1, y = 1, z = 1;
};

#if defined(__CUDACC__)
// Whether the code that runs was compiled for GPUs that have the instructions of prim/previous_kernel.h.
inline bool waits_itself(const void* kernel) {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, kernel) == cudaSuccess && attributes.ptxVersion >= 90;
}

inline cudaError_t launch_on_gpu(cuda::Stream stream, Grid grid, unsigned threads, std::size_t shared_bytes,
                                 const void* kernel, void** arguments, bool early) {
  constexpr std::size_t kDefaultLimit = 48u << 10;
  if (shared_bytes > kDefaultLimit) {
    const cudaError_t error =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
    if (error != cudaSuccess) return error;
  }
  const auto handle = static_cast<cudaStream_t>(stream.handle);
  const dim3 blocks(grid.x, grid.y, grid.z);
  if (!early || !stream.overlaps || !waits_itself(kernel)) {
    return cudaLaunchKernel(kernel, blocks, dim3(threads), arguments, shared_bytes, handle);
  }
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = blocks;
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared_bytes;
  config.stream = handle;
  config.attrs = &attribute;
  config.numAttrs = 1;
  return cudaLaunchKernelExC(&config, kernel, arguments);
}
#endif

template <typename Params>
void launch(cuda::Stream stream, const char* name, Grid grid, unsigned threads, std::size_t shared_bytes,
            void (*kernel)(Params), const Params& params, bool early = false) {
#if defined(__CUDACC__)
  Params copy = params;
  void* arguments[] = {&copy};
  const cudaError_t error =
      launch_on_gpu(stream, grid, threads, shared_bytes, reinterpret_cast<const void*>(kernel), arguments, early);
  if (error != cudaSuccess) cuda::fail_launch(name, cudaGetErrorString(error));
#else
  if (early && stream.overlaps) {
    const auto begun =
        std::make_shared<emulator::EarlyKernel>(name, emulator::Dim3{grid.x, grid.y, grid.z},
                                                emulator::Dim3{threads, 1, 1}, shared_bytes, [=] { kernel(params); });
    emulator::enqueue(
        stream.handle, [begun] { begun->finish(); }, [begun] { begun->begin(); });
    return;
  }
  emulator::enqueue(stream.handle, [=] {
    emulator::run(name, {grid.x, grid.y, grid.z}, {threads, 1, 1}, shared_bytes, [=] { kernel(params); });
  });
#endif
}

template <typename Params>
void launch_early(cuda::Stream stream, const char* name, Grid grid, unsigned threads, std::size_t shared_bytes,
                  void (*kernel)(Params), const Params& params) {
  launch(stream, name, grid, threads, shared_bytes, kernel, params, true);
}

}  // namespace gpueval::GPUEVAL_TARGET
