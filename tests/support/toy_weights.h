// SPDX-License-Identifier: Apache-2.0
// A small network, and a weight file that is its own.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "gpueval/graph.h"
#include "gpueval/weights.h"

namespace gpueval::test {

// Something of everything: SAME padding at a stride, two activations, a pool, an addition, a head.
inline Graph toy() {
  GraphBuilder g("toy");
  int x = g.conv2d("c", g.input(8, 8, 3), 4, 3, 3, {.stride = 2, .pad = Pad::kSame, .bias = false});
  x = g.relu6("r", g.batch_norm("n", x));
  const int pool = g.max_pool("p", x, 2, 2);
  x = g.relu("s", g.add("a", {pool, g.conv2d("d", pool, 4, 1, 1, {})}));
  return g.finish(g.dense("f", g.global_avg_pool("g", x), 2));
}

inline WeightFile file_of(const Graph& graph) {
  WeightFile file{.path = "toy.keras", .sha256 = {}, .format = "keras3-archive"};
  for (const Node& node : graph.nodes) {
    if (node.params.empty()) continue;
    WeightLayer layer{.name = node.name};
    for (const Param& param : node.params) {
      Array array{param.array.shape, nullptr};
      array.data = std::make_shared<const std::vector<float>>(static_cast<std::size_t>(array.elements()), 0.5f);
      layer.arrays.push_back({to_string(param.role), array});
    }
    file.layers.push_back(std::move(layer));
  }
  return file;
}

}  // namespace gpueval::test
