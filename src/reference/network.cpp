// SPDX-License-Identifier: Apache-2.0
#include "reference/network.h"

#include "reference/op_reference.h"

namespace gpueval::reference {

void run_node(const Graph& graph, int index, NetworkResult& result) {
  const Node& node = graph.node(index);
  const auto i = static_cast<std::size_t>(index);
  const AnyTensor tensor = with_form<AnyTensor>(
      graph, node,
      [&](const auto& op) -> AnyTensor {
        std::vector<const FloatTensor*> inputs;
        for (const int input : node.inputs) inputs.push_back(&result.floats[static_cast<std::size_t>(input)]);
        return float_reference(op, FloatCall{graph, index, inputs});
      },
      [&](const auto& op) {
        return int8_reference(op, Int8Call{graph, index, result});
      });
  if (const auto* integer = std::get_if<QuantTensor>(&tensor)) {
    result.tensors[i] = *integer;
    result.tensors[i].zero_point = node.type.zero_point;
  } else {
    result.floats[i] = std::get<FloatTensor>(tensor);
  }
}

NetworkResult run_network(const Graph& graph, std::span<const float> image) {
  NetworkResult result;
  result.tensors.resize(graph.nodes.size());
  result.floats.resize(graph.nodes.size());
  result.floats[0] = {graph.input_node().shape, {image.begin(), image.end()}};
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) run_node(graph, static_cast<int>(i), result);
  if (graph.outputs.size() == 1) result.logits = result.floats[static_cast<std::size_t>(graph.output())].values;
  return result;
}

}  // namespace gpueval::reference
