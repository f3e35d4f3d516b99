// SPDX-License-Identifier: Apache-2.0
// Weights of a convolution in the order in which winograd_set.h's products read them.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/int8/aligned_array.h"
#include "cpu/int8/int8_conv.h"
#include "cpu/int8/packed_weights.h"
#include "cpu/int8/winograd_set.h"

namespace gpueval::cpu {

// Source channels [first, first + channels), packed as `depth`, a multiple of kWinogradStep.
struct DepthPart {
  int first = 0, channels = 0, depth = 0;
};
constexpr int kWinogradStep = 4;

struct WinogradWeights {
  std::vector<ChannelBlock> blocks;  // weight_offset: elements
  std::vector<DepthPart> parts;      // as few as keep every sum below kWinogradBound
  AlignedArray<std::int16_t> data;   // [block][part][point][depth / 2][lane][2]
};
WinogradWeights pack_winograd(const Int8ConvParams& params, const WinogradSet& set);

}  // namespace gpueval::cpu
