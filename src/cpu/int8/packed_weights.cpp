// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/packed_weights.h"

#include <algorithm>
#include <cstring>

#include "core/threads.h"

namespace gpueval::cpu {
namespace {

// The output channel of a lane, or -1 for a lane that only fills the vector.
int channel_of(const ChannelBlock& block, int lane, bool shuffled) {
  const int offset = shuffled && block.vectors == kMaxVectors ? lane_channel(lane) : lane;
  return offset < block.channels ? block.first + offset : -1;
}

void store_weight(std::byte* at, int element_bytes, std::int8_t value) {
  if (element_bytes == 1) {
    *at = static_cast<std::byte>(value);
  } else {
    const std::int16_t wide = value;
    std::memcpy(at, &wide, sizeof wide);
  }
}

// One lane's weights, and their sum.
std::int32_t pack_lane(const std::int8_t* src, const TileSet& tiles, const DepthShape& depth, int lanes, int lane,
                       std::byte* block) {
  std::int32_t sum = 0;
  const std::int64_t group = tiles.group;
  const std::int64_t tap_elements = std::int64_t{depth.groups} * group * lanes;
  for (int t = 0; t < depth.taps; ++t) {
    for (int c = 0; c < depth.run; ++c) {
      const std::int8_t value = *src++;
      sum += value;
      const std::int64_t in_tap =
          tiles.lane_major ? lane * depth.groups * group + c : (c / group * lanes + lane) * group + c % group;
      store_weight(block + (t * tap_elements + in_tap) * tiles.element_bytes, tiles.element_bytes, value);
    }
  }
  return sum;
}

}  // namespace

DepthShape depth_shape(const ConvDesc& desc, const TileSet& tiles, bool whole_rows) {
  DepthShape depth;
  depth.taps = desc.window.kernel_h * (whole_rows ? 1 : desc.window.kernel_w);
  depth.run = desc.c * (whole_rows ? desc.window.kernel_w : 1);
  depth.groups = (depth.run + tiles.group - 1) / tiles.group;
  return depth;
}

std::vector<ChannelBlock> channel_blocks(int channels, int lanes, int max_vectors, std::int64_t lane_bytes) {
  const int vectors = (channels + lanes - 1) / lanes;
  const int count = (vectors + max_vectors - 1) / max_vectors;
  std::vector<ChannelBlock> blocks(static_cast<std::size_t>(count));
  int vector = 0;
  for (int i = 0; i < count; ++i) {
    ChannelBlock& block = blocks[static_cast<std::size_t>(i)];
    block.vectors = vectors / count + (i < vectors % count ? 1 : 0);
    block.first = vector * lanes;
    block.channels = std::min(block.vectors * lanes, channels - block.first);
    block.lane_offset = block.first;
    block.weight_offset = block.first * lane_bytes;
    vector += block.vectors;
  }
  return blocks;
}

PackedWeights pack_weights(const Int8ConvParams& params, const TileSet& tiles, const DepthShape& depth,
                           int max_vectors) {
  const std::int64_t lane_bytes = std::int64_t{depth.taps} * depth.groups * tiles.group * tiles.element_bytes;
  PackedWeights packed;
  packed.blocks = channel_blocks(params.desc.k, tiles.lanes, max_vectors, lane_bytes);
  const ChannelBlock& last = packed.blocks.back();
  const auto lanes = static_cast<std::size_t>(last.lane_offset + last.vectors * tiles.lanes);
  packed.weights = AlignedBuffer(lanes * static_cast<std::size_t>(lane_bytes));
  packed.start = AlignedArray<std::int32_t>(lanes);
  packed.m = AlignedArray<float>(lanes);
  packed.b = AlignedArray<float>(lanes);
  packed.block_bytes = packed.blocks.front().vectors * tiles.lanes * lane_bytes;
  const std::int64_t channel_weights = std::int64_t{depth.taps} * depth.run;
  parallel_for(static_cast<std::int64_t>(packed.blocks.size()), [&](std::int64_t index) {
    const ChannelBlock& block = packed.blocks[static_cast<std::size_t>(index)];
    const int block_lanes = block.vectors * tiles.lanes;
    for (int lane = 0; lane < block_lanes; ++lane) {
      const int k = channel_of(block, lane, tiles.shuffled);
      if (k < 0) continue;
      const auto at = static_cast<std::size_t>(block.lane_offset + lane);
      const std::int32_t sum = pack_lane(params.weights.data() + k * channel_weights, tiles, depth, block_lanes, lane,
                                         packed.weights.data() + block.weight_offset);
      packed.start[at] = tiles.biased && params.src == DType::kS8 ? -128 * sum : 0;
      packed.m[at] = params.m[static_cast<std::size_t>(k)];
      packed.b[at] = params.b[static_cast<std::size_t>(k)];
    }
  });
  return packed;
}

}  // namespace gpueval::cpu
