// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cuda/conv/conv_kernel.h"

namespace gpueval::cuda {

// Everything of a problem that its running time depends on, in one line:
// "n8h56w56c64_k64r3s3_st1_pad1,1,1,1 u8 > u8 + s8 pitch 64 > 64 + 64", and where a pool follows
// " max pool 3x3 stride 2x2 pad 1,1,1,1".
std::string to_string(const ConvProblem& problem);

}  // namespace gpueval::cuda
