// SPDX-License-Identifier: Apache-2.0
// Many output channels: 128x256x128, 4 stages, one block. Three quarters of the bytes that 128x128x128 takes from the
// second-level cache for each product, and 80 of shared memory's 128 bytes a cycle at the full rate. wgmma_gemm.h has
// the design.
#include "cuda/conv/wgmma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_wgmma_128x256x128";
  static constexpr cuda::MmaTile kTile{
      .m = 128, .n = 256, .depth = 128, .warps_m = 8, .stages = 4, .blocks = 1, .persistent = true};
  static constexpr int kBehind = 1;
};

}  // namespace

extern const cuda::ConvKernel conv_s8_wgmma_128x256x128 = WgmmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
