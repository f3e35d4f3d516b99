// SPDX-License-Identifier: Apache-2.0
// Deep layers: 128x128x64 with steps of 128 bytes and 3 stages: half the barriers and tap steps for each product, one
// block a multiprocessor where shared memory is small. mma_gemm.h has the design.
#include "cuda/conv/mma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_mma_128x128x128";
  static constexpr cuda::MmaTile kTile{
      .m = 128, .n = 128, .depth = 128, .warps_m = 2, .warps_n = 4, .stages = 3, .blocks = 2};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_mma_128x128x128 = MmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
