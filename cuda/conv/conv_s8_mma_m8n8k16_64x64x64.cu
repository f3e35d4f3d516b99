// SPDX-License-Identifier: Apache-2.0
// sm_75: 64 pixels x 64 channels, 4 warps of 32 x 32. mma_gemm_m8n8k16.h has the design.
#include "cuda/conv/mma_gemm_m8n8k16.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_mma_m8n8k16_64x64x64";
  static constexpr cuda::MmaTile kTile{
      .m = 64, .n = 64, .depth = 64, .warps_m = 2, .warps_n = 2, .stages = 2, .blocks = 4};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_mma_m8n8k16_64x64x64 = NarrowMmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
