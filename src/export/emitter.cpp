// SPDX-License-Identifier: Apache-2.0
#include "export/emitter.h"

#include <cmath>
#include <span>
#include <utility>

#include "export/integer_layer.h"
#include "gpueval/error.h"
#include "graph/passes.h"

namespace gpueval::onnx_export {
namespace {

constexpr const char* kInput = "input";
constexpr const char* kLogits = "logits";

Dims pads(const Padding& pad) { return {pad.top, pad.left, pad.bottom, pad.right}; }

bool is_integer(const Node& n) { return n.type.dtype != DType::kF32; }

}  // namespace

Emitter::Emitter(const Graph& graph, const OnnxOptions& options)
    : graph_(graph), bias_(options.bias), writer_(graph.name, options.producer_version, options.description) {}

OnnxWriter Emitter::run() && {
  const Shape& in = graph_.input_node().shape;
  writer_.input(kInput, {-1, in.h, in.w, in.c});
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) values_.push_back(emit(static_cast<int>(i)));
  writer_.node("Flatten", "flatten_logits", {values_[static_cast<std::size_t>(graph_.output)].name}, kLogits)
      .set("axis", std::int64_t{1});
  writer_.output(kLogits, {-1, graph_.output_node().shape.elements()});
  return std::move(writer_);
}

Emitter::Value Emitter::emit(int index) {
  const Node& n = node(index);
  if (n.integer && n.integer->dynamic) {
    fail("{}: layer '{}' finds its scale at run time (the reference scheme), which ONNX's pairs cannot say",
         graph_.name, n.name);
  }
  Value v = activated(n, emit_op(index));
  return is_integer(n) ? quantized(n, std::move(v)) : v;
}

Emitter::Value Emitter::emit_op(int index) {
  const Node& n = node(index);
  if (std::holds_alternative<Input>(n.op)) return emit_input(n);
  if (conv_desc(graph_, index)) return emit_layer(index);
  if (const auto* pool = std::get_if<MaxPool>(&n.op)) return emit_pool(n, pool->window, "MaxPool");
  if (const auto* pool = std::get_if<AvgPool>(&n.op)) return emit_pool(n, pool->window, "AveragePool");
  if (std::holds_alternative<GlobalAvgPool>(n.op)) return emit_simple("GlobalAveragePool", n, {value(n).name}, false);
  if (std::holds_alternative<Relu>(n.op)) return value(n);  // activated() does it
  if (std::holds_alternative<Add>(n.op)) {
    return emit_simple("Add", n, {value(n, 0).name, value(n, 1).name}, value(n).flat);
  }
  if (std::holds_alternative<Concat>(n.op)) {
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < n.inputs.size(); ++i) inputs.push_back(value(n, i).name);
    const std::string out = n.name + "/output";
    writer_.node("Concat", n.name, inputs, out).set("axis", std::int64_t{1});
    return {out, value(n).flat};
  }
  if (std::holds_alternative<ZeroPad>(n.op)) return emit_pad(n);
  if (std::holds_alternative<BatchNorm>(n.op)) return emit_batch_norm(n);
  if (std::holds_alternative<Quantize>(n.op)) return rescaled(n, value(n), n, true);
  if (std::holds_alternative<Dequantize>(n.op)) return rescaled(n, value(n), source(n), false);
  fail("{}: layer '{}' ({}) has no ONNX form", graph_.name, n.name, op_name(n.op));
}

Emitter::Value Emitter::emit_input(const Node& n) {
  const std::string out = n.name + "/nchw";
  writer_.node("Transpose", out, {kInput}, out).set("perm", Dims{0, 3, 1, 2});
  return {out, false};
}

Emitter::Value Emitter::emit_simple(const char* op, const Node& n, const std::vector<std::string>& inputs, bool flat,
                                    const std::string& suffix) {
  const std::string name = n.name + suffix, out = name + "/output";
  writer_.node(op, name, inputs, out);
  return {out, flat};
}

Emitter::Value Emitter::emit_pool(const Node& n, const Window& window, const char* op) {
  const std::string out = n.name + "/output";
  NodeRef pool = writer_.node(op, n.name, {value(n).name}, out);
  pool.set("kernel_shape", Dims{window.kernel_h, window.kernel_w});
  pool.set("strides", Dims{window.stride_h, window.stride_w}).set("pads", pads(window.pad));
  if (std::holds_alternative<AvgPool>(n.op)) pool.set("count_include_pad", std::int64_t{0});
  return {out, false};
}

Emitter::Value Emitter::emit_batch_norm(const Node& n) {
  std::vector<std::string> inputs{value(n).name};
  const Dims dims{n.shape.c};
  for (const Role role : {Role::kGamma, Role::kBeta, Role::kMean, Role::kVariance}) {
    const Param* param = n.find(role);
    const std::vector<float> values = param != nullptr
                                          ? *param->array.data
                                          : std::vector<float>(static_cast<std::size_t>(n.shape.c), 1.0f);  // no gamma
    inputs.push_back(writer_.tensor(n.name + "/" + to_string(role), dims, std::span(values)));
  }
  const std::string out = n.name + "/output";
  writer_.node("BatchNormalization", n.name, inputs, out).set("epsilon", std::get<BatchNorm>(n.op).eps);
  return {out, value(n).flat};
}

Emitter::Value Emitter::emit_pad(const Node& n) {
  const Padding& pad = std::get<ZeroPad>(n.op).pad;
  const Dims amounts{0, 0, pad.top, pad.left, 0, 0, pad.bottom, pad.right};
  return emit_simple("Pad", n, {value(n).name, writer_.tensor(n.name + "/pads", {8}, std::span(amounts))}, false);
}

Emitter::Value Emitter::flattened(const Node& n, Value v) {
  if (v.flat) return v;
  const std::string out = n.name + "/flatten";
  writer_.node("Flatten", out, {v.name}, out).set("axis", std::int64_t{1});
  return {out, true};
}

Emitter::Value Emitter::activated(const Node& n, Value v) {
  const Activation* act = fused_activation(n.op);
  if (act == nullptr || *act == Activation::kNone) return v;
  float most = 6.0f;
  bool capped = *act == Activation::kRelu6;
  if (capped && n.integer && is_integer(n)) {
    // Where the cut rounds to the type's largest value, saturation makes it.
    capped = std::nearbyint(n.integer->hi) < (n.type.dtype == DType::kU8 ? 255.0f : 127.0f);
    most = static_cast<float>(n.integer->hi * tensor_scale(n));
  }
  if (!capped) return emit_simple("Relu", n, {v.name}, v.flat, "/relu");
  const std::string lo = scalar(n.name + "/clip/min", 0.0f), hi = scalar(n.name + "/clip/max", most);
  return emit_simple("Clip", n, {v.name, lo, hi}, v.flat, "/relu6");
}

std::string Emitter::scalar(const std::string& name, float value) {
  return writer_.tensor(name, {}, std::span<const float>(&value, 1));
}

}  // namespace gpueval::onnx_export
