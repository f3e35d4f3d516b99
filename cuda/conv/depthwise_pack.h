// SPDX-License-Identifier: Apache-2.0
// Weights of the depthwise kernels: [tap group][channel][4 taps], channels up to a multiple of 4, the rest zero.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cuda/conv/conv_kernel.h"
#include "cuda/conv/pack.h"

namespace gpueval::cuda {

constexpr int depthwise_weight_pitch(const ConvDesc& desc) { return round_up(desc.c, 4); }

// Groups of four taps in the order of [R][S], across rows.
std::vector<std::int8_t> pack_depthwise_taps(const ConvProblem& problem, std::span<const std::int8_t> weights);
// One group a row of the window, kernel_w <= 4.
std::vector<std::int8_t> pack_depthwise_rows(const ConvProblem& problem, std::span<const std::int8_t> weights);

}  // namespace gpueval::cuda
