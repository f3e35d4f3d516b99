// SPDX-License-Identifier: Apache-2.0
#include "graph/layer_info.h"

#include <utility>

namespace gpueval {
namespace {

std::int64_t tensor_bytes(const Node& node) {
  return node.shape.elements() * static_cast<std::int64_t>(size_of(node.type.dtype));
}

std::int64_t weight_bytes(const Node& node) {
  if (node.integer) {
    const IntegerOp& op = *node.integer;
    return static_cast<std::int64_t>((op.weights ? op.weights->size() : 0) + 4 * (op.m.size() + op.b.size()));
  }
  std::int64_t bytes = 0;
  for (const Param& param : node.params) bytes += 4 * param.array.elements();
  return bytes;
}

}  // namespace

LayerInfo layer_info(const Graph& graph, int index, std::string kernel, int written) {
  const Node& node = graph.node(index);
  LayerInfo info{
      .name = node.name, .op = op_name(node.op), .kernel = std::move(kernel), .shape = to_string(node.shape)};
  if (const auto desc = conv_desc(graph, index)) {
    info.shape = to_string(*desc);
    info.ops = 2 * desc->multiply_adds();
  }
  for (const GraphOutput& out : graph.outputs) {
    const Node& leaves = graph.node(out.node);
    const bool dequantized = std::holds_alternative<Dequantize>(leaves.op) && leaves.inputs[0] == index;
    if (out.node == index || dequantized) info.outputs.push_back(out.name);
  }
  if (info.kernel != "in place") {
    info.weight_bytes = weight_bytes(node);
    info.bytes = tensor_bytes(written < 0 ? node : graph.node(written)) + info.weight_bytes;
    for (const int input : node.inputs) info.bytes += tensor_bytes(graph.node(input));
  }
  return info;
}

}  // namespace gpueval
