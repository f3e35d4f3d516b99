// SPDX-License-Identifier: Apache-2.0
// Weights, accumulator starts, m and b of a convolution in the order in which the tiles read them.
#pragma once

#include <vector>

#include "cpu/int8/aligned_array.h"
#include "cpu/int8/int8_conv.h"
#include "cpu/int8/tile.h"
#include "gpueval/tensor.h"

namespace gpueval::cpu {

// A block of output channels: 1 to kMaxVectors vectors. Only the last block can have fewer real channels than lanes.
struct ChannelBlock {
  int first = 0;     // first output channel
  int channels = 0;  // real ones
  int vectors = 0;
  std::int64_t weight_offset = 0;  // bytes
  int lane_offset = 0;             // into start, m and b
};

// How the depth is cut: `taps` runs of `run` source elements, padded to `groups` groups. A convolution has one run a
// kernel position (c elements); the first layer one a kernel row (kernel_w * c elements).
struct DepthShape {
  int taps = 1, run = 1, groups = 1;
};
DepthShape depth_shape(const ConvDesc& desc, const TileSet& tiles, bool whole_rows);

// Blocks of at most max_vectors, as equal as possible, the wider ones first.
std::vector<ChannelBlock> channel_blocks(int channels, int lanes, int max_vectors, std::int64_t lane_bytes);

struct PackedWeights {
  std::vector<ChannelBlock> blocks;
  AlignedBuffer weights;
  AlignedArray<std::int32_t> start;
  AlignedArray<float> m, b;
  std::int64_t block_bytes = 0;  // of the widest block
};
PackedWeights pack_weights(const Int8ConvParams& params, const TileSet& tiles, const DepthShape& depth,
                           int max_vectors);

}  // namespace gpueval::cpu
