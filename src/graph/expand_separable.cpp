// SPDX-License-Identifier: Apache-2.0
#include <numeric>
#include <utility>

#include "gpueval/error.h"
#include "graph/passes.h"

namespace gpueval {

Graph expand_separable(Graph graph) {
  const std::size_t count = graph.nodes.size();
  std::vector<int> replacement(count, -1);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* separable = std::get_if<SeparableConv2D>(&graph.nodes[i].op);
    if (separable == nullptr) continue;
    const Node layer = graph.nodes[i];
    const Shape& src = graph.node(layer.inputs[0]).shape;

    Node depthwise{.name = layer.name + "/depthwise", .op = DepthwiseConv2D{separable->window}, .inputs = layer.inputs};
    depthwise.shape = layer.shape;
    depthwise.shape.c = src.c;
    Node pointwise{.name = layer.name + "/pointwise", .op = Conv2D{}, .shape = layer.shape};
    for (Param param : layer.params) {
      Node& owner = param.role == Role::kDepthwiseKernel ? depthwise : pointwise;
      if (param.role == Role::kPointwiseKernel) param.role = Role::kKernel;
      owner.params.push_back(std::move(param));
    }
    // The depthwise half takes the layer's place; rewire() sorts the appended pointwise half.
    pointwise.inputs = {static_cast<int>(i)};
    graph.nodes[i] = std::move(depthwise);
    const int pointwise_index = static_cast<int>(graph.nodes.size());
    for (Node& node : graph.nodes) {
      for (int& input : node.inputs) {
        if (input == static_cast<int>(i)) input = pointwise_index;
      }
    }
    for (GraphOutput& out : graph.outputs) {
      if (out.node == static_cast<int>(i)) out.node = pointwise_index;
    }
    graph.nodes.push_back(std::move(pointwise));
  }
  replacement.resize(graph.nodes.size(), -1);
  return rewire(std::move(graph), replacement);
}

}  // namespace gpueval
