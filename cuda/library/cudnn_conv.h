// SPDX-License-Identifier: Apache-2.0
// Convolutions by cuDNN.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "cuda/library/baselines.h"

namespace gpueval::cuda {

// Every algorithm that takes the problem, with cuDNN's fused bias, residual and ReLU or with our epilogue behind it, is
// timed with the real shape on `stream`; the fastest stays. Asymmetric padding goes through a zero-padded copy of src.
std::unique_ptr<FloatConv> make_cudnn_float_conv(Runtime& runtime, const FloatConvParams& params, Stream stream,
                                                 std::string* why);
// s8 sums as float32 (the rounding that our epilogue starts with), then our epilogue.
std::unique_ptr<IntegerConv> make_cudnn_integer_conv(Runtime& runtime, const ConvProblem& problem,
                                                     std::span<const std::int8_t> weights, Stream stream,
                                                     std::string* why);

}  // namespace gpueval::cuda
