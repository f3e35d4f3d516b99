// SPDX-License-Identifier: Apache-2.0
// Large layers: 256 pixels x 128 channels, 8 warps of 64 x 64, 4 stages. A byte read from shared memory does half as
// much again as in 128x128x64. One block fills the registers of a multiprocessor, so its warps load their next
// fragments ahead. mma_gemm.h has the design.
#include "cuda/conv/mma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_mma_256x128x64";
  static constexpr cuda::MmaTile kTile{
      .m = 256, .n = 128, .depth = 64, .warps_m = 4, .warps_n = 2, .stages = 4, .prefetch = true};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_mma_256x128x64 = MmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
