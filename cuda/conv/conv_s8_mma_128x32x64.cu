// SPDX-License-Identifier: Apache-2.0
// Few output channels (squeeze layers, narrow MobileNets): 128 pixels x 32 channels, 4 warps of 32 x 32, 4 stages.
// mma_gemm.h has the design.
#include "cuda/conv/mma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_mma_128x32x64";
  static constexpr cuda::MmaTile kTile{
      .m = 128, .n = 32, .depth = 64, .warps_m = 4, .warps_n = 1, .stages = 4, .blocks = 5};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_mma_128x32x64 = MmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
