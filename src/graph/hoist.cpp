// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <memory>
#include <utility>

#include "graph/passes.h"

namespace gpueval {
namespace {

// How many of the source's channels lie behind each of the result's; 0: the operation is none that this pass knows.
int source_channels(const Op& op) {
  if (std::holds_alternative<BatchToSpace>(op)) return 1;
  const auto* space = std::get_if<DepthToSpace>(&op);
  return space != nullptr ? space->block_h * space->block_w : 0;
}

void repeat_channels(Param& param, int times) {
  const std::vector<float>* once = param.array.data.get();
  param.array.shape.back() *= times;
  if (once == nullptr) return;
  std::vector<float> values;
  for (int i = 0; i < times; ++i) values.insert(values.end(), once->begin(), once->end());
  param.array.data = std::make_shared<const std::vector<float>>(std::move(values));
}

}  // namespace

Graph hoist_over_moves(Graph graph) {
  const std::vector<int> uses = graph.uses();
  const auto read_once = [&](int node) { return uses[static_cast<std::size_t>(node)] == 1; };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    if (!std::holds_alternative<BatchNorm>(node.op) && !std::holds_alternative<Relu>(node.op)) continue;
    const int at = node.inputs[0];
    Node& move = graph.node(at);
    const int times = source_channels(move.op);
    if (times == 0 || !read_once(at) || !read_once(move.inputs[0])) continue;
    const Node& source = graph.node(move.inputs[0]);
    if (!conv_desc(graph, move.inputs[0]) && !std::holds_alternative<BatchNorm>(source.op)) continue;
    for (Param& param : node.params) repeat_channels(param, times);
    // They change places, so that what reads the second one reads the same tensor.
    node.inputs = move.inputs;
    move.inputs = {at};
    move.shape = std::exchange(node.shape, source.shape);
    std::swap(node, move);
  }
  return graph;
}

}  // namespace gpueval
