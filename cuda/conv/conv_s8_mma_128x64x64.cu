// SPDX-License-Identifier: Apache-2.0
// 64 output channels: 128 pixels x 64 channels, 4 warps of 64 x 32, 4 stages. The same share of a warp as in 128x128x64
// in half the block, so that layers with K = 64 waste no columns. mma_gemm.h has the design.
#include "cuda/conv/mma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_mma_128x64x64";
  static constexpr cuda::MmaTile kTile{
      .m = 128, .n = 64, .depth = 64, .warps_m = 2, .warps_n = 2, .stages = 4, .blocks = 4};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_mma_128x64x64 = MmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
