// SPDX-License-Identifier: Apache-2.0
// The host's part of the depthwise kernels. Weights: [tap group][channel][4 taps], channels up to a multiple of 4, the
// rest zero.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cuda/conv/conv_kernel.h"
#include "cuda/conv/pack.h"

namespace gpueval::cuda {

constexpr int depthwise_weight_pitch(const ConvDesc& desc) { return round_up(desc.c, 4); }

// What the threads compute: four channels of some columns and rows each.
struct DepthwiseBlocks {
  int groups, columns, rows;  // of an image
  DepthwiseBlocks(const ConvDesc& desc, int block_columns, int block_rows)
      : groups(ceil_div(desc.c, 4)), columns(ceil_div(desc.q(), block_columns)), rows(ceil_div(desc.p(), block_rows)) {}
  // Of so many images. Error if there are more of these, or of the source's pixels, than the kernels' integers count.
  int count(const ConvDesc& desc, int images) const;
};

// Groups of four taps in the order of [R][S], across rows.
std::vector<std::int8_t> pack_depthwise_taps(const ConvProblem& problem, std::span<const std::int8_t> weights);
// One group a row of the window, kernel_w <= 4.
std::vector<std::int8_t> pack_depthwise_rows(const ConvProblem& problem, std::span<const std::int8_t> weights);

}  // namespace gpueval::cuda
