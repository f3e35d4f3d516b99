// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>
#include <vector>

#include "graph/dilation.h"
#include "graph/passes.h"

namespace gpueval {
namespace {

// The convolution in front of `last` as it is to take its place; nullopt where it is none of a dilation.
std::optional<Node> joined(const Graph& graph, const std::vector<int>& uses, const Node& last) {
  const auto* after = std::get_if<BatchToSpace>(&last.op);
  if (after == nullptr || uses[static_cast<std::size_t>(last.inputs[0])] != 1) return std::nullopt;
  Node conv = graph.node(last.inputs[0]);
  Window* window = conv_window(conv.op);
  if (window == nullptr || conv.inputs.size() != 1) return std::nullopt;
  const Node& first = graph.node(conv.inputs[0]);
  const auto* before = std::get_if<SpaceToBatch>(&first.op);
  if (before == nullptr) return std::nullopt;
  const Shape& src = graph.node(first.inputs[0]).shape;
  const std::optional<Window> dilated = dilated_window({*before, *window, *after}, src.h, src.w);
  if (!dilated) return std::nullopt;
  *window = *dilated;
  conv.name = last.name;
  conv.inputs = first.inputs;
  conv.shape = last.shape;
  conv.slice_of = last.slice_of;
  conv.slice_offset = last.slice_offset;
  return conv;
}

}  // namespace

Graph join_dilations(Graph graph, const std::function<bool(const Node& conv)>& wanted) {
  const std::vector<int> uses = graph.uses();
  bool any = false;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    std::optional<Node> conv = joined(graph, uses, graph.nodes[i]);
    if (!conv || !wanted(*conv)) continue;
    graph.nodes[i] = std::move(*conv);
    any = true;
  }
  if (!any) return graph;
  const std::vector<int> unchanged(graph.nodes.size(), -1);
  return rewire(std::move(graph), unchanged);  // nothing reads the other two any more
}

}  // namespace gpueval
