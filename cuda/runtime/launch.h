// SPDX-License-Identifier: Apache-2.0
// launch(stream, "conv_s8_naive", grid, block, shared_bytes, kernel<...>, params): the one way to start a kernel.
// Errors are Errors naming the kernel; on the GPU they also surface at the next synchronisation.
#pragma once

#include <cstddef>

#include "cuda/prim/target.h"
#include "cuda/runtime/stream.h"

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#else
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

template <typename Params>
void launch(cuda::Stream stream, const char* name, Grid grid, unsigned threads, std::size_t shared_bytes,
            void (*kernel)(Params), const Params& params) {
#if defined(__CUDACC__)
  constexpr std::size_t kDefaultLimit = 48u << 10;
  cudaError_t error = cudaSuccess;
  if (shared_bytes > kDefaultLimit) {
    error = cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 static_cast<int>(shared_bytes));
  }
  if (error == cudaSuccess) {
    Params copy = params;
    void* arguments[] = {&copy};
    error = cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(grid.x, grid.y, grid.z), dim3(threads),
                             arguments, shared_bytes, static_cast<cudaStream_t>(stream.handle));
  }
  if (error != cudaSuccess) cuda::fail_launch(name, cudaGetErrorString(error));
#else
  emulator::enqueue(stream.handle, [=] {
    emulator::run(name, {grid.x, grid.y, grid.z}, {threads, 1, 1}, shared_bytes, [=] { kernel(params); });
  });
#endif
}

}  // namespace gpueval::GPUEVAL_TARGET
