// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "graph/passes.h"

namespace gpueval {
namespace {

bool same_activation(const Op& a, const Op& b) {
  const auto *relu = std::get_if<Relu>(&a), *other_relu = std::get_if<Relu>(&b);
  if (relu != nullptr && other_relu != nullptr) return relu->act == other_relu->act;
  const auto *activate = std::get_if<Activate>(&a), *other = std::get_if<Activate>(&b);
  return activate != nullptr && other != nullptr && activate->function == other->function;
}

}  // namespace

Graph merge_activations(Graph graph) {
  std::vector<int> replacement(graph.nodes.size(), -1);
  const std::vector<std::vector<int>> consumers = graph.consumers();
  for (const std::vector<int>& readers : consumers) {
    for (std::size_t i = 0; i < readers.size(); ++i) {
      int& replaced = replacement[static_cast<std::size_t>(readers[i])];
      if (graph.is_output(readers[i])) continue;
      for (std::size_t earlier = 0; earlier < i && replaced < 0; ++earlier) {
        const bool kept = replacement[static_cast<std::size_t>(readers[earlier])] < 0;
        if (kept && same_activation(graph.node(readers[earlier]).op, graph.node(readers[i]).op)) {
          replaced = readers[earlier];
        }
      }
    }
  }
  return rewire(std::move(graph), replacement);
}

}  // namespace gpueval
