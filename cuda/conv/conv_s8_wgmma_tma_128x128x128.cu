// SPDX-License-Identifier: Apache-2.0
// Operands by the tensor memory accelerator: 128x128x128 with 6 stages, one block a multiprocessor. wgmma_tma.h has the
// design.
#include "cuda/conv/wgmma_tma.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_wgmma_tma_128x128x128";
  static constexpr cuda::MmaTile kTile{
      .m = 128, .n = 128, .depth = 128, .warps_m = 8, .stages = 6, .blocks = 1, .persistent = true, .producer = true};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_wgmma_tma_128x128x128 = WgmmaTmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
