// SPDX-License-Identifier: Apache-2.0
#include "graph/passes.h"
#include "keras/comparison.h"
#include "keras/simplify.h"

namespace gpueval::keras {
namespace {

bool covers(const Window& window, const Shape& src) {
  return window.kernel_h == src.h && window.kernel_w == src.w && window.pad == Padding{};
}

// An average pool of the whole map is a global one.
Graph find_global_pools(Graph graph) {
  for (Node& node : graph.nodes) {
    const auto* pool = std::get_if<AvgPool>(&node.op);
    if (pool != nullptr && covers(pool->window, graph.node(node.inputs[0]).shape)) node.op = GlobalAvgPool{};
  }
  return graph;
}

}  // namespace

Graph canonical(Graph graph) {
  graph = join_dilations(expand_separable(std::move(graph)), [](const Node&) { return true; });
  graph = fold_padding(fold_padding(std::move(graph)));  // twice: two layers of zeros, one behind the other
  return find_global_pools(simplify(std::move(graph)));
}

}  // namespace gpueval::keras
