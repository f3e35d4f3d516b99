// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/conv_split.h"

#include <algorithm>

#include "core/round_up.h"

namespace gpueval::cpu {
namespace {

constexpr std::int64_t kTableBytes = 32 * 1024;  // of tap pointers
constexpr std::int64_t kLongestBlock = 192;
constexpr std::int64_t kShortestBlock = 48;

// Pixels per block: the source should stay in half of L1 while the channel blocks pass over it, but each block of
// weights is fetched again for every pixel block, so weights that miss L2 ask for long ones.
std::int64_t preferred_block(const ConvWork& work, const CacheSizes& caches) {
  const std::int64_t by_table = std::max<std::int64_t>(work.rows, kTableBytes / (8 * work.taps));
  const std::int64_t longest = std::min(by_table, kLongestBlock);
  std::int64_t block = std::clamp(caches.l1 / 2 / work.pixel_bytes, std::min(kShortestBlock, longest), longest);
  if (work.blocks * work.block_bytes > caches.l2 / 2) block = longest;
  return ceil_div(block, work.rows) * work.rows;
}

// Time of the busiest thread, in units of one full tile. A tile costs its rows and something for its weights and start.
double cost(const ConvWork& work, const CacheSizes& caches, std::int64_t pixel_blocks, std::int64_t groups) {
  const std::int64_t block = ceil_div(work.pixels, pixel_blocks);
  const std::int64_t tiles = ceil_div(block, work.rows);
  const double tile = std::max(0.4, static_cast<double>(block) / static_cast<double>(tiles * work.rows)) + 0.1;
  const std::int64_t rounds = ceil_div(pixel_blocks * groups, work.threads);
  const std::int64_t group_blocks = ceil_div(work.blocks, groups);
  double seconds = static_cast<double>(rounds * tiles * group_blocks) * tile;
  // A thread whose weights fit its L2 reads them once from memory, another one once per pixel block.
  const std::int64_t weights = group_blocks * work.block_bytes;
  if (weights > caches.l2 * 3 / 4) seconds *= 1.1;
  // Each group's threads share out the whole source; weights come from wherever the last layers left room for them.
  const double bytes = static_cast<double>(weights) +
                       static_cast<double>(work.pixels * work.pixel_bytes) * static_cast<double>(groups) / work.threads;
  return seconds + bytes * work.macs_per_byte / static_cast<double>(work.rows * work.block_bytes);
}

}  // namespace

ConvSplit split_conv(const ConvWork& work, const CacheSizes& caches) {
  const std::int64_t fewest = ceil_div(work.pixels, preferred_block(work, caches));
  const std::int64_t most = ceil_div(work.pixels, work.rows);
  ConvSplit best;
  double best_cost = 0;
  for (std::int64_t groups = 1; groups <= std::min<std::int64_t>(work.threads, work.blocks); ++groups) {
    // Besides the preferred count, the next one that gives every thread the same number of tasks.
    const std::int64_t even = ceil_div(fewest * groups, work.threads) * work.threads;
    for (const std::int64_t candidate : {fewest, ceil_div(even, groups)}) {
      const std::int64_t count = std::clamp<std::int64_t>(candidate, 1, most);
      const double c = cost(work, caches, count, groups);
      if (best_cost == 0 || c < best_cost * 0.999) {
        best_cost = c;
        best.pixel_block = ceil_div(work.pixels, count);
        best.pixel_blocks = ceil_div(work.pixels, best.pixel_block);
        best.channel_groups = static_cast<int>(groups);
      }
    }
  }
  return best;
}

}  // namespace gpueval::cpu
