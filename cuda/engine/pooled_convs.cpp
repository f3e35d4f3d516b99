// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/pooled_convs.h"

#include "graph/op_row.h"

namespace gpueval::cuda {
namespace {

constexpr int kFewChannels = 4;

// Of an integer form, few channels, and nothing but the products behind it.
bool may_pool(const Graph& graph, int index) {
  const Node& node = graph.node(index);
  return std::holds_alternative<Conv2D>(node.op) && node.integer && !node.integer->dynamic && node.inputs.size() == 1 &&
         is_integer(node.type.dtype) && graph.node(node.inputs[0]).shape.c <= kFewChannels;
}

bool copies_maxima(const Node& pool, const Node& src) {
  const auto* op = std::get_if<MaxPool>(&pool.op);
  return op != nullptr && !op->window.dilated() && pool.integer && pool.integer->input_factors[0] == 1.0f &&
         pool.type.dtype == src.type.dtype && pool.type.zero_point == src.type.zero_point;
}

}  // namespace

PooledConvs::PooledConvs(const Graph& graph) : pool_(graph.nodes.size(), -1), joined_(graph.nodes.size(), false) {
  const std::vector<int> uses = graph.uses();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& pool = graph.nodes[i];
    if (pool.inputs.size() != 1) continue;
    const int conv = pool.inputs[0];
    if (uses[static_cast<std::size_t>(conv)] != 1 || !may_pool(graph, conv)) continue;
    if (copies_maxima(pool, graph.node(conv))) pool_[static_cast<std::size_t>(conv)] = static_cast<int>(i);
  }
}

std::vector<ExtraWrite> PooledConvs::writes() const {
  std::vector<ExtraWrite> result;
  for (std::size_t conv = 0; conv < pool_.size(); ++conv) {
    if (pool_[conv] >= 0) result.push_back({.step = static_cast<int>(conv), .tensor = pool_[conv]});
  }
  return result;
}

}  // namespace gpueval::cuda
