// SPDX-License-Identifier: Apache-2.0
// Single nodes of a lowered graph, run by themselves with a backend's own kernels: what calibration sees is bit for bit
// what that backend's engine computes.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "gpueval/engine.h"
#include "gpueval/graph.h"

namespace gpueval {

class NodeRunner {
 public:
  virtual ~NodeRunner() = default;
  // sources: the tensors of the node's inputs for the same n images, dense (pitch = channels), n <= batch. The node's
  // own tensor is dense, too, and valid until the next call.
  virtual TensorView run(std::span<const TensorView> sources) = 0;
};

// The node reads the tensors of graph's nodes node.inputs; it may differ from the graph's own node.
using MakeNodeRunner = std::function<std::unique_ptr<NodeRunner>(const Graph& graph, Node node, int batch)>;

}  // namespace gpueval
