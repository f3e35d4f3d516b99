// SPDX-License-Identifier: Apache-2.0
// Few output channels: 128x64x128, 4 stages, two blocks a multiprocessor. wgmma_gemm.h has the design.
#include "cuda/conv/wgmma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_wgmma_128x64x128";
  static constexpr cuda::MmaTile kTile{
      .m = 128, .n = 64, .depth = 128, .warps_m = 8, .stages = 4, .blocks = 2, .persistent = true};
  static constexpr int kBehind = 0;
};

}  // namespace

extern const cuda::ConvKernel conv_s8_wgmma_128x64x128 = WgmmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
