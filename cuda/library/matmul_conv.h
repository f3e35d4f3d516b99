// SPDX-License-Identifier: Apache-2.0
// Dense layers and 1x1 convolutions of stride 1 by cuBLASLt.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "cuda/library/baselines.h"

namespace gpueval::cuda {

// strict: CUBLAS_COMPUTE_32F_PEDANTIC. Bias, residual and ReLU fused, or by our epilogue, whichever is faster.
std::unique_ptr<FloatConv> make_matmul_float_conv(Runtime& runtime, const FloatConvParams& params, Stream stream,
                                                  std::string* why);
// s32 sums, then our epilogue: bit-exact.
std::unique_ptr<IntegerConv> make_matmul_integer_conv(Runtime& runtime, const ConvProblem& problem,
                                                      std::span<const std::int8_t> weights, Stream stream,
                                                      std::string* why);

}  // namespace gpueval::cuda
