// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/winograd_weights.h"

#include <algorithm>
#include <cstring>

#include "core/round_up.h"
#include "core/threads.h"

namespace gpueval::cpu {
namespace {

constexpr int kAtOnce = 8;  // source channels
typedef std::int16_t Channels [[gnu::vector_size(2 * kAtOnce)]];

// G g in units of 1/24, the last of 1/12.
void weight_line(const Channels* g, int stride, Channels* out) {
  const Channels g0 = g[0], g1 = g[stride], g2 = g[2 * stride];
  out[0] = 6 * g0;
  out[1] = -4 * (g0 + g1 + g2);
  out[2] = -4 * (g0 - g1 + g2);
  out[3] = g0 + 2 * g1 + 4 * g2;
  out[4] = g0 - 2 * g1 + 4 * g2;
  out[5] = 12 * g2;
}

// G g G' of windows whose 9 weights are `stride` apart, of one channel each.
void weight_points(const std::int8_t* weights, int stride, int channels, Channels (&points)[kWinogradPoints]) {
  Channels g[9] = {}, half[3][kWinogradIn];
  for (int tap = 0; tap < 9; ++tap) {
    for (int c = 0; c < channels; ++c) g[tap][c] = weights[tap * stride + c];
  }
  for (int i = 0; i < 3; ++i) weight_line(g + i * 3, 1, half[i]);
  for (int j = 0; j < kWinogradIn; ++j) {
    Channels column[kWinogradIn];
    weight_line(half[0] + j, kWinogradIn, column);
    for (int i = 0; i < kWinogradIn; ++i) points[i * kWinogradIn + j] = column[i];
  }
}

// What the largest source values could add up to, of either sign, over the source channels of a part.
std::int64_t largest_sum(const Int8ConvParams& params, const DepthPart& part) {
  const std::int64_t least = params.src == DType::kU8 ? 0 : -128, most = params.src == DType::kU8 ? 255 : 127;
  std::int64_t largest = 0;
  for (std::int64_t window = 0; window < params.desc.k; ++window) {
    std::int64_t above = 0, below = 0;
    for (std::int64_t tap = window * 9; tap < window * 9 + 9; ++tap) {
      const std::int8_t* weights = params.weights.data() + tap * params.desc.c + part.first;
      for (int c = 0; c < part.channels; ++c) (weights[c] > 0 ? above : below) += weights[c];
    }
    largest = std::max({largest, above * most + below * least, -(above * least + below * most)});
  }
  return largest;
}

std::vector<DepthPart> depth_parts(const Int8ConvParams& params) {
  const int steps = ceil_div(params.desc.c, kWinogradStep);
  for (int count = 1;; ++count) {
    std::vector<DepthPart> parts;
    for (int i = 0; i < count; ++i) {
      const int first = steps * i / count * kWinogradStep, end = steps * (i + 1) / count * kWinogradStep;
      parts.push_back({.first = first, .channels = std::min(end, params.desc.c) - first, .depth = end - first});
    }
    const auto fits = [&](const DepthPart& part) { return largest_sum(params, part) < kWinogradBound; };
    if (std::all_of(parts.begin(), parts.end(), fits)) return parts;
  }
}

// One output channel of a part; `to`: its lane.
void pack_lane(const std::int8_t* window, int stride, const DepthPart& part, std::int64_t lanes, std::int16_t* to) {
  for (int c = 0; c < part.channels; c += kAtOnce) {
    const int channels = std::min(kAtOnce, part.channels - c);
    Channels points[kWinogradPoints];
    weight_points(window + part.first + c, stride, channels, points);
    for (int i = 0; i < kWinogradPoints; ++i) {
      std::int16_t pairs[kAtOnce];
      std::memcpy(pairs, &points[i], sizeof pairs);
      std::int16_t* at = to + (i * std::int64_t{part.depth} + c) * lanes;
      for (int pair = 0; pair < channels; pair += 2, at += 2 * lanes) std::memcpy(at, pairs + pair, 2 * sizeof *at);
    }
  }
}

}  // namespace

WinogradWeights pack_winograd(const Int8ConvParams& params, const WinogradSet& set) {
  const int c = params.desc.c;
  const std::int64_t lane_values = kWinogradPoints * std::int64_t{round_up(c, kWinogradStep)};
  WinogradWeights packed;
  packed.blocks = channel_blocks(params.desc.k, set.lanes, set.max_vectors, lane_values);
  packed.parts = depth_parts(params);
  const ChannelBlock& last = packed.blocks.back();
  const std::int64_t all_lanes = last.lane_offset + last.vectors * set.lanes;
  packed.data = AlignedArray<std::int16_t>(static_cast<std::size_t>(all_lanes * lane_values));
  parallel_for(std::ssize(packed.blocks), [&](std::int64_t index) {
    const ChannelBlock& block = packed.blocks[static_cast<std::size_t>(index)];
    const std::int64_t lanes = std::int64_t{block.vectors} * set.lanes;
    for (int lane = 0; lane < block.channels; ++lane) {
      const std::int8_t* window = params.weights.data() + std::int64_t{block.first + lane} * 9 * c;
      std::int16_t* to = packed.data.data() + block.weight_offset + lane * 2;
      for (const DepthPart& part : packed.parts) {
        pack_lane(window, c, part, lanes, to);
        to += kWinogradPoints * part.depth * lanes;
      }
    }
  });
  return packed;
}

}  // namespace gpueval::cpu
