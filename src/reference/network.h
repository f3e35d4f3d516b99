// SPDX-License-Identifier: Apache-2.0
// A whole static int8 network (lower_static's graph) by the reference operations, one image at a time: what every
// backend must reproduce, tensor by tensor and bit by bit.
#pragma once

#include <span>
#include <vector>

#include "gpueval/graph.h"
#include "reference/reference.h"

namespace gpueval::reference {

struct NetworkResult {
  std::vector<QuantTensor> tensors;  // per node; empty for the input and the float32 output
  std::vector<float> logits;
};
NetworkResult run_network(const Graph& graph, std::span<const float> image);

}  // namespace gpueval::reference
