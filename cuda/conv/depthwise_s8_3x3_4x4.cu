// SPDX-License-Identifier: Apache-2.0
// The 3x3 depthwise kernel of depthwise_3x3.h, four columns by four rows a thread: for large maps. With stride 1 four
// rows of outputs take six loads of input rows where one row at a time takes twelve.
#include "cuda/conv/depthwise_3x3.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr const char* kName = "depthwise_s8_3x3_4x4";

void launch_row(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int, cuda::Stream stream) {
  launch_depthwise_3x3<4>(kName, problem, args, stream);
}

}  // namespace

extern const cuda::ConvKernel depthwise_s8_3x3_4x4;
const cuda::ConvKernel depthwise_s8_3x3_4x4 = {.name = kName,
                                               .op = cuda::ConvOp::kDepthwise,
                                               .min_sm = 75,
                                               .family = cuda::ConvFamily::kDp4a,
                                               .supports = supports_depthwise_3x3,
                                               .pack = cuda::pack_depthwise_rows,
                                               .workspace = cuda::no_workspace,
                                               .launch = launch_row};

}  // namespace gpueval::GPUEVAL_TARGET
