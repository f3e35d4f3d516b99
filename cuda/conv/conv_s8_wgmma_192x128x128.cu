// SPDX-License-Identifier: Apache-2.0
// Three warpgroups, 192x128x128, 5 stages, one block a multiprocessor: 53 bytes a cycle, and where 128 rows leave the
// second wave half empty (12,544 pixels of 256 channels: 196 tiles) 192 often fill one (132). wgmma_gemm.h has the
// design.
#include "cuda/conv/wgmma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_wgmma_192x128x128";
  static constexpr cuda::MmaTile kTile{
      .m = 192, .n = 128, .depth = 128, .warps_m = 12, .stages = 5, .blocks = 1, .persistent = true};
  static constexpr int kBehind = 1;
};

}  // namespace

extern const cuda::ConvKernel conv_s8_wgmma_192x128x128 = WgmmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
