// SPDX-License-Identifier: Apache-2.0
// The default of the tensor-core convolutions: 128 pixels x 128 channels, 8 warps of 64 x 32, 4 stages of 64 bytes of
// depth. 128 registers a thread let two blocks share a multiprocessor, so that one's epilogue hides behind the other's
// products. mma_gemm.h has the design.
#include "cuda/conv/mma_gemm.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct Row {
  static constexpr char kName[] = "conv_s8_mma_128x128x64";
  static constexpr cuda::MmaTile kTile{
      .m = 128, .n = 128, .depth = 64, .warps_m = 2, .warps_n = 4, .stages = 4, .blocks = 2};
};

}  // namespace

extern const cuda::ConvKernel conv_s8_mma_128x128x64 = MmaRow<Row>::kernel();

}  // namespace gpueval::GPUEVAL_TARGET
