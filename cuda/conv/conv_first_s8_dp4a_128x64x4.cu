// SPDX-License-Identifier: Apache-2.0
// The first-layer kernel of first_dp4a.h with a tile of 128 pixels (16 columns by 8 rows) x 64 channels: for 64
// channels and more.
#include "cuda/conv/first_dp4a.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr const char* kName = "conv_first_s8_dp4a_128x64x4";

void launch_row(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int, cuda::Stream stream) {
  launch_first_dp4a<8, 2>(kName, problem, args, stream);
}

}  // namespace

extern const cuda::ConvKernel conv_first_s8_dp4a_128x64x4;
const cuda::ConvKernel conv_first_s8_dp4a_128x64x4 = {.name = kName,
                                                      .op = cuda::ConvOp::kConvFirst,
                                                      .min_sm = 75,
                                                      .family = cuda::ConvFamily::kDp4a,
                                                      .tile = {.pixels = 128, .channels = 64, .depth = 4},
                                                      .supports = supports_first_dp4a<8, 2>,
                                                      .pack = pack_first_dp4a<8, 2>,
                                                      .workspace = cuda::no_workspace,
                                                      .launch = launch_row};

}  // namespace gpueval::GPUEVAL_TARGET
