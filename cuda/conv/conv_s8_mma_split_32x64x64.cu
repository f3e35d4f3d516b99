// SPDX-License-Identifier: Apache-2.0
// Smallest maps and dense layers at batch 1: 32 pixels x 64 channels, 4 warps of 32 x 16, depth shared by the blocks of
// a tile (mma_split.h). 49 pixels fill three quarters of its rows. mma_gemm.h has the design.
#include "cuda/conv/mma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_mma_split_32x64x64";
  static constexpr cuda::MmaTile kTile{
      .m = 32, .n = 64, .depth = 64, .warps_m = 1, .warps_n = 4, .stages = 4, .split_depth = true, .blocks = 4};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_mma_split_32x64x64 = MmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
