// SPDX-License-Identifier: Apache-2.0
// Many output channels by the tensor memory accelerator: 128x256x128, 4 stages, one block. wgmma_tma.h has the design.
#include "cuda/conv/wgmma_tma.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_wgmma_tma_128x256x128";
  static constexpr cuda::MmaTile kTile{
      .m = 128, .n = 256, .depth = 128, .warps_m = 8, .stages = 4, .blocks = 1, .persistent = true, .producer = true};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_wgmma_tma_128x256x128 = WgmmaTmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
