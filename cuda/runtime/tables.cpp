// SPDX-License-Identifier: Apache-2.0
#include "cuda/runtime/tables.h"

namespace gpueval::cuda {

std::span<const ConvKernel> conv_kernels_of([[maybe_unused]] const Runtime& runtime) {
#if defined(GPUEVAL_WITH_GPU)
  if (!runtime.properties().emulated) return gpu::conv_kernels();
#endif
  return emu::conv_kernels();
}

const Ops& ops_of([[maybe_unused]] const Runtime& runtime) {
#if defined(GPUEVAL_WITH_GPU)
  if (!runtime.properties().emulated) return gpu::ops();
#endif
  return emu::ops();
}

}  // namespace gpueval::cuda
