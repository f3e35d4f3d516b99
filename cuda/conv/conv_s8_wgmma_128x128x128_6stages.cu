// SPDX-License-Identifier: Apache-2.0
// Outputs of no more tiles than multiprocessors: 128x128x128 with 6 stages, one block, whose own products overlap.
// wgmma_gemm.h has the design.
#include "cuda/conv/wgmma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_wgmma_128x128x128_6stages";
  static constexpr cuda::MmaTile kTile{
      .m = 128, .n = 128, .depth = 128, .warps_m = 8, .stages = 6, .blocks = 1, .persistent = true};
  static constexpr int kBehind = 1;
};

}  // namespace

extern const cuda::ConvKernel conv_s8_wgmma_128x128x128_6stages = WgmmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
