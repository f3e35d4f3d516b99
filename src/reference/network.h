// SPDX-License-Identifier: Apache-2.0
// A whole static int8 network (lower_static's graph) by the reference operations, one image at a time: what every
// backend must reproduce, tensor by tensor and bit by bit. Layers left in float32 are reproduced to rounding.
#pragma once

#include <span>
#include <vector>

#include "gpueval/graph.h"
#include "reference/float_ops.h"
#include "reference/reference.h"

namespace gpueval::reference {

struct NetworkResult {
  std::vector<QuantTensor> tensors;  // per node; empty for float32 tensors
  std::vector<FloatTensor> floats;   // per node; the input, float32 layers and the output
  std::vector<float> logits;         // of a network with one output
};
NetworkResult run_network(const Graph& graph, std::span<const float> image);

// One node, from the tensors of its inputs in result to its own.
void run_node(const Graph& graph, int node, NetworkResult& result);

}  // namespace gpueval::reference
