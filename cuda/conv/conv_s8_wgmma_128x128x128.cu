// SPDX-License-Identifier: Apache-2.0
// The usual: 128x128x128, 3 stages; one block's copies and output hide behind the other's products. wgmma_gemm.h has
// the design.
#include "cuda/conv/wgmma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_wgmma_128x128x128";
  static constexpr cuda::MmaTile kTile{
      .m = 128, .n = 128, .depth = 128, .warps_m = 8, .stages = 3, .blocks = 2, .persistent = true};
  static constexpr int kBehind = 0;
};

}  // namespace

extern const cuda::ConvKernel conv_s8_wgmma_128x128x128 = WgmmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
