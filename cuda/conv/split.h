// SPDX-License-Identifier: Apache-2.0
// How the split-depth dp4a kernel cuts a small problem. Pure functions of the problem and the device's size; results
// never depend on them, because integer sums do not depend on their order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gpueval::cuda {

inline constexpr int kMostDepthSplits = 16;
inline constexpr int kLeastSplitSteps = 4;  // below, starting a block costs more than the steps it takes over

// Blocks that share the depth of a tile: 1 if the tiles alone give every multiprocessor two blocks.
int split_count(std::int64_t tiles, int steps, int multiprocessors);

// The first step of a part; that of part `splits` is the end. Every part has at least one step if splits <= steps.
constexpr int split_begin(int part, int steps, int splits) {
  return static_cast<int>(static_cast<std::int64_t>(part) * steps / splits);
}

// Bytes: a counter for each tile, then its sums. None without a split.
std::size_t split_workspace(std::int64_t tiles, int tile_outputs, int splits);

}  // namespace gpueval::cuda
