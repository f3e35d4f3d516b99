// SPDX-License-Identifier: Apache-2.0
// Small layers: 64 pixels x 64 channels, 4 warps of 32 x 32, 3 stages. Four times the blocks of 128x128x64, for maps
// that could not fill the multiprocessors with those; each byte read from shared memory does less. mma_gemm.h has the
// design.
#include "cuda/conv/mma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_mma_64x64x64";
  static constexpr cuda::MmaTile kTile{
      .m = 64, .n = 64, .depth = 64, .warps_m = 2, .warps_n = 2, .stages = 3, .blocks = 5};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_mma_64x64x64 = MmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
