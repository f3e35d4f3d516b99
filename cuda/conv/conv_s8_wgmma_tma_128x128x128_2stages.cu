// SPDX-License-Identifier: Apache-2.0
// Shallow layers by the tensor memory accelerator: 128x128x128 with 2 stages, two blocks a multiprocessor, of which one
// multiplies while the other writes its tile. A third stage is 48 bytes too many. wgmma_tma.h has the design.
#include "cuda/conv/wgmma_tma.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_wgmma_tma_128x128x128_2stages";
  static constexpr cuda::MmaTile kTile{
      .m = 128, .n = 128, .depth = 128, .warps_m = 8, .stages = 2, .blocks = 2, .persistent = true, .producer = true};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_wgmma_tma_128x128x128_2stages = WgmmaTmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
