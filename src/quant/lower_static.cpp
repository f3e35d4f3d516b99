// SPDX-License-Identifier: Apache-2.0
// Static int8: every tensor gets a type and a scale, every layer its integer form (docs/numerics.md), but for
// the layers that QuantOptions::float_layers leaves in float32 and those that have no int8 form.
#include <algorithm>
#include <cmath>
#include <utility>

#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "graph/op_row.h"
#include "graph/passes.h"
#include "quant/integer_form.h"
#include "quant/lowering.h"
#include "quant/mixed_precision.h"

namespace gpueval {
namespace {

float scale_from_range(float max_abs, DType dtype) {
  return max_abs > 0 ? max_abs / (dtype == DType::kU8 ? 255.0f : 127.0f) : 1.0f;
}

// Float32 input -> Quantize -> everything else.
Graph insert_quantize(Graph graph) {
  Node quantize{.name = "quantize_input", .op = Quantize{}, .inputs = {0}, .shape = graph.input_node().shape};
  // Every index moves up by one; what read the input (0) now reads the new node (1).
  for (Node& node : graph.nodes) {
    for (int& input : node.inputs) ++input;
  }
  graph.nodes.insert(graph.nodes.begin() + 1, std::move(quantize));
  for (GraphOutput& out : graph.outputs) out.node += out.node > 0 ? 1 : 0;  // as an output it is itself
  return graph;
}

// An output that other layers read stays integer for them: it leaves through a node of its own.
Graph separate_outputs(Graph graph) {
  const auto consumers = graph.consumers();
  for (GraphOutput& out : graph.outputs) {
    if (out.node == 0 || consumers[static_cast<std::size_t>(out.node)].empty()) continue;
    const Node& node = graph.node(out.node);
    graph.nodes.push_back(
        {.name = "output " + out.name, .op = Dequantize{}, .inputs = {out.node}, .shape = node.shape});
    out.node = static_cast<int>(graph.nodes.size()) - 1;
  }
  return graph;
}

// Float32 kernels write whole tensors, so a float32 concat copies.
Graph without_float_slices(Graph graph) {
  for (Node& node : graph.nodes) {
    if (node.type.dtype == DType::kF32) node.slice_of = -1, node.slice_offset = 0;
  }
  return graph;
}

class StaticLowering {
 public:
  StaticLowering(Graph graph, const CalibrationTable& table, const QuantOptions& options)
      : graph_(std::move(graph)), table_(table), options_(options) {}

  Graph run() {
    assign_types();
    graph_ = keep_in_float(std::move(graph_), options_.float_layers);
    for (std::size_t i = 1; i < graph_.nodes.size(); ++i) {
      if (!runs_in_float(graph_, graph_.nodes[i])) lower_node(static_cast<int>(i));
    }
    return without_float_slices(place_concat(std::move(graph_)));
  }

 private:
  const Node& source(const Node& node, std::size_t i = 0) const { return graph_.node(node.inputs[i]); }

  float range(const Node& node) const {
    // The quantized input is the input.
    const std::string& name = std::holds_alternative<Quantize>(node.op) ? graph_.input_node().name : node.name;
    const auto found = table_.range.find(name);
    if (found == table_.range.end()) {
      fail("the calibration table has no range for layer '{}' of {}: calibrate again", name, graph_.name);
    }
    return found->second;
  }

  // What a BatchToSpace alone reads has rows between its pictures that are dropped.
  float kept_range(const Node& node, const std::vector<int>& readers) const {
    const bool drops = readers.size() == 1 && std::holds_alternative<BatchToSpace>(graph_.node(readers[0]).op);
    const auto kept = drops ? table_.range.find(graph_.node(readers[0]).name) : table_.range.end();
    return kept != table_.range.end() ? std::min(range(node), kept->second) : range(node);
  }

  void assign_types() {
    const std::vector<bool> positive = non_negative(graph_);
    const auto consumers = graph_.consumers();
    for (std::size_t i = 1; i < graph_.nodes.size(); ++i) {
      Node& node = graph_.nodes[i];
      if (std::holds_alternative<Dequantize>(node.op)) continue;
      const DType dtype = positive[i] && options_.activations == DType::kU8 ? DType::kU8 : DType::kS8;
      const bool own = op_row(node.op).scale == OpScale::kOwn;
      node.type =
          own ? TensorType{dtype, {scale_from_range(kept_range(node, consumers[i]), dtype)}} : source(node).type;
    }
    // What only feeds a concat takes its type; outer concats first.
    for (std::size_t i = graph_.nodes.size(); i-- > 1;) {
      if (!std::holds_alternative<Concat>(graph_.nodes[i].op)) continue;
      for (const int input : graph_.nodes[i].inputs) {
        Node& src = graph_.node(input);
        const bool requantizes = op_row(src.op).scale != OpScale::kCopy;
        if (requantizes && consumers[static_cast<std::size_t>(input)].size() == 1) src.type = graph_.nodes[i].type;
      }
    }
    assign_channel_scales(consumers);
    assign_zero_points();
    for (const GraphOutput& out : graph_.outputs) graph_.node(out.node).type = TensorType{};  // they leave as float32
  }

  void assign_channel_scales(const std::vector<std::vector<int>>& consumers) {
    for (const auto& [name, scales] : table_.channel_scale) {
      const int index = graph_.find(name);
      const bool known =
          index > 0 && std::ssize(scales) == graph_.node(index).shape.c && graph_.node(index).type.dtype == DType::kU8;
      const Activation* act = known ? fused_activation(graph_.node(index).op) : nullptr;
      const float most = act != nullptr && *act == Activation::kRelu6 ? 6.0f / 255.0f : INFINITY;
      const bool in_range = std::all_of(scales.begin(), scales.end(), [&](float s) { return s > 0 && s <= most; });
      if (!known || !in_range || !takes_channel_scales(graph_, consumers, index)) {
        fail("the calibration table has scales per channel for '{}' of {}, which cannot take them: calibrate again",
             name, graph_.name);
      }
      graph_.node(index).type.scale = scales;
    }
  }

  void assign_zero_points() {
    const std::vector<bool> takers = zero_point_takers(graph_);
    for (const auto& [name, zero_point] : table_.zero_point) {
      const int index = graph_.find(name);
      const float range = index > 0 ? this->range(graph_.node(index)) : 0;
      if (index < 0 || options_.activations != DType::kU8 || zero_point < 1 || zero_point > 254 || !(range > 0) ||
          !takers[static_cast<std::size_t>(index)]) {
        fail("the calibration table has a zero point for '{}' of {}, which cannot take it: calibrate again", name,
             graph_.name);
      }
      graph_.node(index).type = {DType::kU8, {range / static_cast<float>(255 - zero_point)}, zero_point};
    }
  }

  void lower_node(int index) {
    Node& node = graph_.node(index);
    node.integer = integer_form({.graph = graph_, .index = index, .table = table_});
    if (node.integer) node.params.clear();
  }

  Graph graph_;
  const CalibrationTable& table_;
  QuantOptions options_;
};

}  // namespace

Graph lower_static(const Graph& bound, const CalibrationTable& table, const QuantOptions& options) {
  return StaticLowering(separate_outputs(insert_quantize(lower_float(bound))), table, options).run();
}

}  // namespace gpueval
