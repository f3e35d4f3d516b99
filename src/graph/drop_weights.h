// SPDX-License-Identifier: Apache-2.0
// What has its weights packed, or lowered, lets go of those it was given: nobody holds them twice (docs/memory.md).
#pragma once

#include "gpueval/graph.h"

namespace gpueval {

// Shapes, scales and biases of integer layers stay.
inline void drop_weights(Node& node) {
  for (Param& param : node.params) param.array.data.reset();
  if (node.integer) node.integer->weights.reset();
}

inline void drop_weights(Graph& graph) {
  for (Node& node : graph.nodes) drop_weights(node);
}

}  // namespace gpueval
