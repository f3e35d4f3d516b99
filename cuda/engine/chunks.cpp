// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/chunks.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace gpueval::cuda {
namespace {

constexpr int kFewImages = 4;  // a launch's own time is more than what it saves

// Of an image: what a step reads and writes.
std::int64_t step_bytes(const Graph& graph, int step) {
  const auto bytes = [&](int node) {
    const Node& self = graph.node(node);
    return self.shape.elements() * static_cast<std::int64_t>(size_of(self.type.dtype));
  };
  std::int64_t sum = bytes(step);
  for (const int input : graph.node(step).inputs) sum += bytes(input);
  return sum;
}

}  // namespace

Chunks plan_chunks(const Graph& graph, int batch, int option, std::size_t cache_bytes) {
  if (option == 0 || option >= batch) return {};
  const auto room = static_cast<std::int64_t>(cache_bytes / 2);
  Chunks chunks;
  std::int64_t most = 0;
  for (int step = 1; step < static_cast<int>(graph.nodes.size()); ++step) {
    const std::int64_t bytes = step_bytes(graph, step);
    most = std::max(most, bytes);
    if (bytes * batch > room) chunks.last = step;
  }
  if (chunks.last == 0) return {};
  chunks.images = option;
  if (option == kChunkByCache) {
    chunks.images = static_cast<int>(std::min<std::int64_t>(room / most, batch));
    if (chunks.images < kFewImages || chunks.images >= batch) return {};
  }
  return chunks;
}

}  // namespace gpueval::cuda
