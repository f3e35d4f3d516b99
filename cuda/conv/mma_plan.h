// SPDX-License-Identifier: Apache-2.0
// Host side of the tensor-core convolutions: which problems they do, how their weights lie in memory, and into how many
// parts the depth is cut. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cuda/conv/conv_kernel.h"
#include "cuda/conv/mma_tile.h"

namespace gpueval::cuda {

constexpr ConvTile conv_tile(const MmaTile& tile) {
  return {.pixels = tile.m, .channels = tile.n, .depth = tile.depth, .split_depth = tile.split_depth};
}

// Chunks of 16 channels of one tap, steps of the whole depth, tiles in either direction for n images.
int mma_chunks(const ConvProblem& problem);
int mma_steps(const ConvProblem& problem, const MmaTile& tile);
int mma_rows(const ConvProblem& problem, int n);
int mma_row_tiles(const ConvProblem& problem, const MmaTile& tile, int n);
int mma_column_tiles(const ConvProblem& problem, const MmaTile& tile);

// 1x1, stride 1, no padding: source pixel = output pixel.
bool mma_pointwise(const ConvProblem& problem);

// Convolutions and dense layers whose pixels are whole chunks, as far as 32-bit offsets inside a tile reach.
bool mma_supports(const ConvProblem& problem, const MmaTile& tile);

// Weights in the order in which blocks read them: [column tile][step][tile.n rows x tile.depth bytes], the last as
// shared memory holds it (swizzled_chunk). A block's copies are one straight stream. Channels, columns and depth are
// padded with zeros, so that whatever the source has there does not count.
std::vector<std::int8_t> pack_mma(const ConvProblem& problem, std::span<const std::int8_t> weights,
                                  const MmaTile& tile);

// Parts of the depth for tiles that alone would not fill the multiprocessors: at most one block each, at least
// kMinSplitSteps steps a part, no part empty.
inline constexpr int kMinSplitSteps = 4;
int depth_splits(int steps, std::int64_t tiles, int multiprocessors);
// The same for a problem at its full batch; 1 for tiles that are not made for it.
int mma_splits(const ConvProblem& problem, const MmaTile& tile, int multiprocessors);

// int32 sums of every tile, then one counter a tile; nothing if the depth is not split.
std::size_t mma_workspace(const ConvProblem& problem, const MmaTile& tile, int multiprocessors);

}  // namespace gpueval::cuda
