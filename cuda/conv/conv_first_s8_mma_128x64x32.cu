// SPDX-License-Identifier: Apache-2.0
// The first-layer kernel of first_mma.h with a tile of 128 pixels (16 columns by 8 rows) x 64 channels: for 64 channels
// and more.
#include "cuda/conv/first_mma.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr const char* kName = "conv_first_s8_mma_128x64x32";

void launch_row(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int, cuda::Stream stream) {
  launch_first_mma<2, 64>(kName, problem, args, stream);
}

}  // namespace

extern const cuda::ConvKernel conv_first_s8_mma_128x64x32;
const cuda::ConvKernel conv_first_s8_mma_128x64x32 = {.name = kName,
                                                      .op = cuda::ConvOp::kConvFirst,
                                                      .min_sm = 80,
                                                      .family = cuda::ConvFamily::kMma,
                                                      .tile = {.pixels = 128, .channels = 64, .depth = 32},
                                                      .supports = supports_first_mma<2, 64>,
                                                      .pack = pack_first_mma<2, 64>,
                                                      .workspace = cuda::no_workspace,
                                                      .launch = launch_row};

}  // namespace gpueval::GPUEVAL_TARGET
