// SPDX-License-Identifier: Apache-2.0
#include "cuda/conv/split.h"

#include <algorithm>

namespace gpueval::cuda {

int split_count(std::int64_t tiles, int steps, int multiprocessors) {
  const std::int64_t by_device = 2 * std::int64_t{multiprocessors} / tiles;
  const std::int64_t most = std::clamp<std::int64_t>(steps / kLeastSplitSteps, 1, kMostDepthSplits);
  return static_cast<int>(std::clamp<std::int64_t>(by_device, 1, most));
}

std::size_t split_workspace(std::int64_t tiles, int tile_outputs, int splits) {
  if (splits == 1) return 0;
  return static_cast<std::size_t>(tiles) * (1 + static_cast<std::size_t>(tile_outputs)) * sizeof(int);
}

}  // namespace gpueval::cuda
