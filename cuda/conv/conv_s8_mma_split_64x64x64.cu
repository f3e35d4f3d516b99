// SPDX-License-Identifier: Apache-2.0
// Small maps at batch 1 (7x7x512, 14x14x256): tiles of 64 x 64 alone would leave most multiprocessors idle, so the
// blocks of a tile share its depth (mma_split.h). mma_gemm.h has the design.
#include "cuda/conv/mma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_mma_split_64x64x64";
  static constexpr cuda::MmaTile kTile{
      .m = 64, .n = 64, .depth = 64, .warps_m = 2, .warps_n = 2, .stages = 4, .split_depth = true, .blocks = 4};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_mma_split_64x64x64 = MmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
