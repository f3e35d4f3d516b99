// SPDX-License-Identifier: Apache-2.0
// Static int8: every tensor gets a type and a scale, every layer its integer form (docs/numerics.md), but for
// the layers that QuantOptions::float_layers leaves in float32.
// Float formulas are computed in double and stored as float.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "graph/passes.h"
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
  ++graph.output;
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
    if (!options_.float_layers.empty()) graph_ = keep_in_float(std::move(graph_), options_.float_layers);
    for (std::size_t i = 1; i < graph_.nodes.size(); ++i) {
      if (!runs_in_float(graph_, graph_.nodes[i])) lower_node(static_cast<int>(i));
    }
    return without_float_slices(place_concat(std::move(graph_)));
  }

 private:
  Node& at(int node) { return graph_.node(node); }
  const Node& source(const Node& node, std::size_t i = 0) { return at(node.inputs[i]); }
  // Of channel k; float32 has none.
  double scale(const Node& node, std::size_t k = 0) const {
    const std::vector<float>& scales = node.type.scale;
    return node.type.dtype == DType::kF32 ? 1.0 : double{scales[scales.size() > 1 ? k : 0]};
  }

  float range(const Node& node) const {
    // The quantized input is the input.
    const std::string& name = std::holds_alternative<Quantize>(node.op) ? graph_.input_node().name : node.name;
    const auto found = table_.range.find(name);
    if (found == table_.range.end()) {
      fail("the calibration table has no range for layer '{}' of {}: calibrate again", name, graph_.name);
    }
    return found->second;
  }

  void assign_types() {
    const std::vector<bool> positive = non_negative(graph_);
    const auto consumers = graph_.consumers();
    for (std::size_t i = 1; i < graph_.nodes.size(); ++i) {
      Node& node = graph_.nodes[i];
      const DType dtype = positive[i] && options_.activations == DType::kU8 ? DType::kU8 : DType::kS8;
      const bool keeps_type = std::holds_alternative<MaxPool>(node.op) || std::holds_alternative<ZeroPad>(node.op);
      node.type = keeps_type ? source(node).type : TensorType{dtype, {scale_from_range(range(node), dtype)}};
    }
    // What only feeds a concat takes its type; outer concats first.
    for (std::size_t i = graph_.nodes.size(); i-- > 1;) {
      if (!std::holds_alternative<Concat>(graph_.nodes[i].op)) continue;
      for (const int input : graph_.nodes[i].inputs) {
        const bool requantizes = !std::holds_alternative<ZeroPad>(at(input).op);
        if (requantizes && consumers[static_cast<std::size_t>(input)].size() == 1)
          at(input).type = graph_.nodes[i].type;
      }
    }
    assign_channel_scales(consumers);
    at(graph_.output).type = TensorType{};  // logits leave as float32
  }

  void assign_channel_scales(const std::vector<std::vector<int>>& consumers) {
    for (const auto& [name, scales] : table_.channel_scale) {
      const int index = graph_.find(name);
      const bool known = index > 0 && std::ssize(scales) == at(index).shape.c && at(index).type.dtype == DType::kU8;
      const Activation* act = known ? fused_activation(at(index).op) : nullptr;
      const float most = act != nullptr && *act == Activation::kRelu6 ? 6.0f / 255.0f : INFINITY;
      const bool in_range = std::all_of(scales.begin(), scales.end(), [&](float s) { return s > 0 && s <= most; });
      if (!known || !in_range || !takes_channel_scales(graph_, consumers, index)) {
        fail("the calibration table has scales per channel for '{}' of {}, which cannot take them: calibrate again",
             name, graph_.name);
      }
      at(index).type.scale = scales;
    }
  }

  void lower_node(int index) {
    Node& node = at(index);
    if (conv_desc(graph_, index)) {
      lower_conv(index);
      return;
    }
    if (std::holds_alternative<ZeroPad>(node.op)) return;
    const bool is_pool = std::holds_alternative<GlobalAvgPool>(node.op);
    if (node.type.dtype == DType::kF32 && !is_pool) {
      fail("{}: the output '{}' ({}) has no int8 form: a convolution, dense layer or global average is expected",
           graph_.name, node.name, op_name(node.op));
    }
    IntegerOp op;
    const Activation* act = fused_activation(node.op);
    const Clamp clamp =
        clamp_of(node.type.dtype, act != nullptr ? *act : Activation::kNone, static_cast<float>(scale(node)));
    op.lo = clamp.lo;
    op.hi = clamp.hi;
    op.m = multipliers(node);
    check_finite(node, op);
    node.integer = std::move(op);
  }

  // Finite weights and ranges may still have a quotient beyond float32, or below it: a layer that is silent throughout.
  void check_finite(const Node& node, const IntegerOp& op) const {
    const auto finite = [](float value) { return std::isfinite(value); };
    const auto heard = [](float m) { return m >= std::numeric_limits<float>::min(); };  // a channel may well be silent
    if (std::all_of(op.m.begin(), op.m.end(), finite) && std::all_of(op.b.begin(), op.b.end(), finite) &&
        finite(op.residual_scale) && std::any_of(op.m.begin(), op.m.end(), heard)) {
      return;
    }
    fail(
        "{}: the scales of layer '{}' are beyond float32 in int8; its weights or its range are damaged, or its "
        "training went wrong",
        graph_.name, node.name);
  }

  std::vector<float> multipliers(const Node& node) {
    const double dst = scale(node);
    std::vector<float> m;
    if (const auto* pool = std::get_if<AvgPool>(&node.op)) {
      const int largest = pool->window.kernel_h * pool->window.kernel_w;
      for (int count = 1; count <= largest; ++count)
        m.push_back(static_cast<float>(scale(source(node)) / (dst * count)));
    } else if (std::holds_alternative<GlobalAvgPool>(node.op)) {
      m.push_back(static_cast<float>(scale(source(node)) / (dst * static_cast<double>(source(node).shape.pixels()))));
    } else if (std::holds_alternative<Quantize>(node.op)) {
      m.push_back(1.0f);
    } else {
      for (std::size_t i = 0; i < node.inputs.size(); ++i)
        m.push_back(static_cast<float>(scale(source(node, i)) / dst));
    }
    return m;
  }

  void lower_conv(int index) {
    check_accumulator(graph_, index);
    Node& node = at(index);
    const QuantizedWeights weights = quantized_weights(node);
    IntegerOp op;
    op.weights = std::make_shared<const std::vector<std::int8_t>>(weights.values);
    for (std::size_t k = 0; k < weights.scale.size(); ++k) {
      op.m.push_back(static_cast<float>(weights.scale[k] / scale(node, k)));
      op.b.push_back(static_cast<float>(weights.bias[k] / scale(node, k)));
    }
    // Channel scales are at most 6 / 255 behind ReLU6, so the cut is the same for all.
    const Clamp clamp = clamp_of(node.type.dtype, *fused_activation(node.op), static_cast<float>(scale(node)));
    op.lo = clamp.lo;
    op.hi = clamp.hi;
    if (node.inputs.size() > 1) op.residual_scale = static_cast<float>(scale(source(node, 1)) / scale(node));
    check_finite(node, op);
    node.integer = std::move(op);
    node.params.clear();
  }

  struct QuantizedWeights {
    std::vector<std::int8_t> values;
    std::vector<double> scale;  // real = scale[k] * acc + bias[k]
    std::vector<float> bias;
  };

  QuantizedWeights quantized_weights(const Node& node) {
    QuantizedWeights result{.values = {}, .scale = {}, .bias = bias_or_zeros(node)};
    const auto found = table_.corrections.find(node.name);
    const LayerCorrection correction = found != table_.corrections.end() ? found->second : LayerCorrection{};
    if (!correction.bias.empty()) result.bias = correction.bias;
    if (!correction.weights.empty()) {
      result.values = correction.weights;
      result.scale.assign(correction.weight_scale.begin(), correction.weight_scale.end());
    } else {
      const std::vector<float>& src_scale = source(node).type.scale;
      const Node scaled = src_scale.size() > 1 ? with_scaled_inputs(node, src_scale) : node;
      const std::vector<float> weight_scale = weight_scale_per_channel(scaled);
      result.values = quantize_weights(scaled, weight_scale);
      const double src = src_scale.size() > 1 ? 1.0 : double{src_scale[0]};
      for (const float s : weight_scale) result.scale.push_back(src * s);
    }
    const auto channels = static_cast<std::size_t>(node.shape.c);
    if (result.scale.size() != channels || result.bias.size() != channels ||
        static_cast<std::int64_t>(result.values.size()) != node.params[0].array.elements()) {
      fail("the calibration table's correction of layer '{}' of {} has the wrong size: calibrate again", node.name,
           graph_.name);
    }
    return result;
  }

  Graph graph_;
  const CalibrationTable& table_;
  QuantOptions options_;
};

}  // namespace

Graph lower_static(const Graph& bound, const CalibrationTable& table, const QuantOptions& options) {
  return StaticLowering(insert_quantize(lower_float(bound)), table, options).run();
}

}  // namespace gpueval
