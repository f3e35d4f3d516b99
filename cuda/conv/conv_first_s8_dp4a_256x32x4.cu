// SPDX-License-Identifier: Apache-2.0
// The first-layer kernel of first_dp4a.h with a tile of 256 pixels (16 columns by 16 rows) x 32 channels: for up to 32
// channels.
#include "cuda/conv/first_dp4a.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr const char* kName = "conv_first_s8_dp4a_256x32x4";

void launch_row(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int, cuda::Stream stream) {
  launch_first_dp4a<16, 1>(kName, problem, args, stream);
}

}  // namespace

extern const cuda::ConvKernel conv_first_s8_dp4a_256x32x4;
const cuda::ConvKernel conv_first_s8_dp4a_256x32x4 = {.name = kName,
                                                      .op = cuda::ConvOp::kConvFirst,
                                                      .min_sm = 75,
                                                      .family = cuda::ConvFamily::kDp4a,
                                                      .tile = {.pixels = 256, .channels = 32, .depth = 4},
                                                      .supports = supports_first_dp4a<16, 1>,
                                                      .pack = pack_first_dp4a<16, 1>,
                                                      .workspace = cuda::no_workspace,
                                                      .launch = launch_row};

}  // namespace gpueval::GPUEVAL_TARGET
