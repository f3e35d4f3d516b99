// SPDX-License-Identifier: Apache-2.0
#include "graph/passes.h"

namespace gpueval {
namespace {

// The window that explicit zeros in front of the node may be folded into; nullptr: they must stay.
Window* foldable_window(Op& op, bool src_non_negative) {
  if (Window* window = conv_window(op)) return window;
  // Ignoring a tap and reading a zero there give the same maximum where nothing is negative.
  if (auto* pool = std::get_if<MaxPool>(&op); pool != nullptr && src_non_negative) return &pool->window;
  return nullptr;
}

}  // namespace

Graph fold_padding(Graph graph) {
  const std::vector<bool> positive = non_negative(graph);
  std::vector<int> replacement(graph.nodes.size(), -1);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    if (std::holds_alternative<Flatten>(node.op)) replacement[i] = node.inputs[0];
    if (node.inputs.empty()) continue;
    const auto src = static_cast<std::size_t>(node.inputs[0]);
    const auto* zeros = std::get_if<ZeroPad>(&graph.nodes[src].op);
    Window* window = zeros != nullptr ? foldable_window(node.op, positive[src]) : nullptr;
    if (window == nullptr) continue;
    window->pad.top += zeros->pad.top;
    window->pad.bottom += zeros->pad.bottom;
    window->pad.left += zeros->pad.left;
    window->pad.right += zeros->pad.right;
    node.inputs[0] = graph.nodes[src].inputs[0];
  }
  return rewire(std::move(graph), replacement);
}

}  // namespace gpueval
