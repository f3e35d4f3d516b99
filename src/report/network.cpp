// SPDX-License-Identifier: Apache-2.0
// `gpu_eval inspect`
#include <fmt/format.h>

#include "gpueval/report.h"
#include "graph/op_row.h"
#include "report/text_table.h"

namespace gpueval {
namespace {

using Align = TextTable::Align;

std::string shape_text(const Shape& shape) {
  return shape.pixels() == 1 ? fmt::format("{}", shape.c) : fmt::format("{}x{}x{}", shape.h, shape.w, shape.c);
}

// A batch norm is folded, or becomes a multiply-add; what only says where others begin computes nothing.
std::string int8_text(const Node& node) {
  if (std::holds_alternative<Input>(node.op) || std::holds_alternative<Flatten>(node.op)) return "";
  const OpForm form = op_row(node.op).form;
  const bool integers = form != OpForm::kFloat || std::holds_alternative<BatchNorm>(node.op);
  return integers ? "int8" : "float32";
}

std::string operation_text(const Node& node) {
  if (const auto* activate = std::get_if<Activate>(&node.op)) return to_string(activate->function.kind);
  if (const auto* binary = std::get_if<Binary>(&node.op)) return to_string(binary->kind);
  return op_name(node.op);
}

std::int64_t parameters_of(const Node& node) {
  std::int64_t count = 0;
  for (const Param& param : node.params) count += param.array.elements();
  return count;
}

std::int64_t multiply_adds_of(const Graph& graph, int index) {
  const auto desc = conv_desc(graph, index);
  return desc ? desc->multiply_adds() : 0;
}

}  // namespace

std::string to_text(const KerasNetwork& network) {
  const Graph& graph = network.graph;
  TextTable table;
  table.column("layer", Align::kLeft);
  table.column("operation", Align::kLeft);
  table.column("output", Align::kLeft);
  table.column("parameters");
  table.column("multiply-adds");
  table.column("int8", Align::kLeft);
  std::size_t islands = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const std::int64_t parameters = parameters_of(node), multiply_adds = multiply_adds_of(graph, static_cast<int>(i));
    islands += int8_text(node) == "float32" ? 1 : 0;
    table.row({node.name, operation_text(node), shape_text(node.shape), parameters > 0 ? grouped(parameters) : "",
               multiply_adds > 0 ? grouped(multiply_adds) : "", int8_text(node)});
  }
  std::string text = fmt::format("{}: '{}'{}, {} parameters, {} multiply-adds\n\n", network.file, network.name,
                                 network.keras_version.empty() ? "" : ", Keras " + network.keras_version,
                                 grouped(network.parameters), grouped(graph.multiply_adds()));
  text += table.text() + '\n';
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const Node& node = graph.node(graph.outputs[i].node);
    const Head head = network.heads[i];
    text += fmt::format("output '{}': {}{}\n", graph.outputs[i].name, shape_text(node.shape),
                        head == Head::kNone ? "" : fmt::format(", in front of its {}", to_string(head)));
  }
  if (islands > 0) text += fmt::format("{} layers stay in float32 in an int8 network.\n", islands);
  for (const std::string& note : network.notes) text += note + '\n';
  return text;
}

}  // namespace gpueval
