// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "cuda/prim/target.h"
#include "cuda/runtime/tables.h"

namespace gpueval::GPUEVAL_TARGET {

#define GPUEVAL_CUDA_CONV(row) extern const cuda::ConvKernel row;
#include "cuda/conv/kernels.inc"
#undef GPUEVAL_CUDA_CONV

std::span<const cuda::ConvKernel> conv_kernels() {
  static const std::vector<cuda::ConvKernel> rows = {
#define GPUEVAL_CUDA_CONV(row) row,
#include "cuda/conv/kernels.inc"
#undef GPUEVAL_CUDA_CONV
  };
  return rows;
}

}  // namespace gpueval::GPUEVAL_TARGET
