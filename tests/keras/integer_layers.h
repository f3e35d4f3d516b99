// SPDX-License-Identifier: Apache-2.0
// Every integer tensor of an engine, and what is dequantized of one, is the reference's, made of the engine's own
// inputs of that layer, so that what is left in float32 does not blur it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include "support/tapped_engine.h"

namespace gpueval::test {

// checked: of an engine whose tensors are known to be right, or empty. What reads the same is not computed again.
inline int expect_reference(const Graph& graph, const reference::NetworkResult& engine,
                            const reference::NetworkResult& checked = {}) {
  const auto is_float = [&](int node) { return graph.node(node).type.dtype == DType::kF32; };
  const auto same = [&](int node) {
    const auto i = static_cast<std::size_t>(node);
    return !checked.tensors.empty() && engine.tensors[i].bytes == checked.tensors[i].bytes &&
           engine.floats[i].values == checked.floats[i].values;
  };
  int compared = 0;
  reference::NetworkResult expected = engine;
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const auto index = static_cast<int>(i);
    if (is_float(index) && std::any_of(node.inputs.begin(), node.inputs.end(), is_float)) continue;
    const bool known = std::all_of(node.inputs.begin(), node.inputs.end(), same);
    if (!known) reference::run_node(graph, index, expected);
    const reference::NetworkResult& right = known ? checked : expected;
    EXPECT_EQ(engine.tensors[i].bytes, right.tensors[i].bytes) << node.name;
    EXPECT_EQ(engine.floats[i].values, right.floats[i].values) << node.name;
    expected.tensors[i] = engine.tensors[i];
    expected.floats[i] = engine.floats[i];
    ++compared;
  }
  return compared;
}

}  // namespace gpueval::test
