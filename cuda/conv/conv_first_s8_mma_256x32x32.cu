// SPDX-License-Identifier: Apache-2.0
// The first-layer kernel of first_mma.h with a tile of 256 pixels (16 columns by 16 rows) x 32 channels: for up to 32
// channels.
#include "cuda/conv/first_mma.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr const char* kName = "conv_first_s8_mma_256x32x32";

void launch_row(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int, cuda::Stream stream) {
  launch_first_mma<4, 32>(kName, problem, args, stream);
}

}  // namespace

extern const cuda::ConvKernel conv_first_s8_mma_256x32x32;
const cuda::ConvKernel conv_first_s8_mma_256x32x32 = {.name = kName,
                                                      .op = cuda::ConvOp::kConvFirst,
                                                      .min_sm = 80,
                                                      .family = cuda::ConvFamily::kMma,
                                                      .tile = {.pixels = 256, .channels = 32, .depth = 32},
                                                      .supports = supports_first_mma<4, 32>,
                                                      .pack = pack_first_mma<4, 32>,
                                                      .workspace = cuda::no_workspace,
                                                      .launch = launch_row};

}  // namespace gpueval::GPUEVAL_TARGET
