// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "graph/passes.h"

namespace gpueval {

Graph fuse_activation(Graph graph) {
  const std::vector<int> uses = graph.uses();
  std::vector<int> replacement(graph.nodes.size(), -1);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto* relu = std::get_if<Relu>(&graph.nodes[i].op);
    if (relu == nullptr) continue;
    const auto src = static_cast<std::size_t>(graph.nodes[i].inputs[0]);
    Activation* act = fused_activation(graph.nodes[src].op);
    if (act == nullptr || *act != Activation::kNone || uses[src] != 1) continue;
    *act = relu->act;
    replacement[i] = static_cast<int>(src);
  }
  return rewire(std::move(graph), replacement);
}

Graph fuse_residual_add(Graph graph) {
  const std::vector<int> uses = graph.uses();
  std::vector<int> replacement(graph.nodes.size(), -1);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto* add = std::get_if<Add>(&graph.nodes[i].op);
    if (add == nullptr) continue;
    // The operand that is computed last: then the other one is there already.
    std::vector<int> operands = graph.nodes[i].inputs;
    std::sort(operands.begin(), operands.end(), std::greater<>());
    for (std::size_t which = 0; which < 2; ++which) {
      const auto candidate = static_cast<std::size_t>(operands[which]);
      Node& conv = graph.nodes[candidate];
      auto* op = std::get_if<Conv2D>(&conv.op);
      if (op == nullptr || op->act != Activation::kNone || conv.inputs.size() != 1 || uses[candidate] != 1) {
        continue;
      }
      conv.inputs.push_back(operands[1 - which]);
      op->act = add->act;
      replacement[i] = operands[which];
      break;
    }
  }
  return rewire(std::move(graph), replacement);
}

}  // namespace gpueval
