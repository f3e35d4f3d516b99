// SPDX-License-Identifier: Apache-2.0
// 128 pixels x 128 channels by 4 warps of 64 x 64 instead of 8 of 64 x 32: a third less traffic from shared memory,
// which bounds 128x128x64, for half the warps; they load their next fragments ahead. mma_gemm.h has the design.
#include "cuda/conv/mma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_mma_128x128x64_4warps";
  static constexpr cuda::MmaTile kTile{
      .m = 128, .n = 128, .depth = 64, .warps_m = 2, .warps_n = 2, .stages = 4, .prefetch = true, .blocks = 2};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_mma_128x128x64_4warps = MmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
