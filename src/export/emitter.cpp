// SPDX-License-Identifier: Apache-2.0
#include "export/emitter.h"

#include <cmath>
#include <span>
#include <string>
#include <utility>

#include "export/integer_layer.h"
#include "gpueval/error.h"
#include "graph/op_row.h"
#include "graph/passes.h"

namespace gpueval::onnx_export {
namespace {

constexpr const char* kInput = "input";

bool is_integer(const Node& n) { return n.type.dtype != DType::kF32; }

}  // namespace

Emitter::Emitter(const Graph& graph, const OnnxOptions& options)
    : graph_(graph), bias_(options.bias), writer_(graph.name, options.producer_version, options.description) {}

OnnxWriter Emitter::run() && {
  const Shape& in = graph_.input_node().shape;
  writer_.input(kInput, {-1, in.h, in.w, in.c});
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) values_.push_back(emit(static_cast<int>(i)));
  for (const GraphOutput& out : graph_.outputs) emit_output(out);
  return std::move(writer_);
}

// One pixel: [n, channels]; a map: [n, h, w, channels], as the input.
void Emitter::emit_output(const GraphOutput& out) {
  if (out.name == kInput) fail("{}: an output has the name '{}' of the ONNX file's input", graph_.name, kInput);
  const Shape& shape = node(out.node).shape;
  const std::string& value = values_[static_cast<std::size_t>(out.node)].name;
  if (shape.pixels() == 1) {
    writer_.node("Flatten", "flatten_" + out.name, {value}, out.name).set("axis", std::int64_t{1});
    writer_.output(out.name, {-1, shape.c});
    return;
  }
  writer_.node("Transpose", "nhwc_" + out.name, {value}, out.name).set("perm", Dims{0, 2, 3, 1});
  writer_.output(out.name, {-1, shape.h, shape.w, shape.c});
}

Value Emitter::emit(int index) {
  const Node& n = node(index);
  if (n.integer && n.integer->dynamic) {
    fail("{}: layer '{}' finds its scale at run time (the reference scheme), which ONNX's pairs cannot say",
         graph_.name, n.name);
  }
  Value v = activated(n, emit_op(index));
  return is_integer(n) ? quantized(n, std::move(v)) : v;
}

Value Emitter::emit_op(int index) {
  const Node& n = node(index);
  if (n.inputs.empty()) return emit_input(n);
  return std::visit(
      [&]<typename T>(const T& op) -> Value {
        if constexpr (kOpRow<T>.form != OpForm::kNone) {
          return onnx_export::emit(op, *this, index);
        } else {
          fail("{}: layer '{}' ({}) has no ONNX form", graph_.name, n.name, kOpRow<T>.name);
        }
      },
      n.op);
}

Value Emitter::emit_input(const Node& n) {
  const std::string out = n.name + "/nchw";
  writer_.node("Transpose", out, {kInput}, out).set("perm", Dims{0, 3, 1, 2});
  return {out, false};
}

Value Emitter::simple(const char* op, const Node& n, const std::vector<std::string>& inputs, bool flat,
                      const std::string& suffix) {
  const std::string name = n.name + suffix, out = name + "/output";
  writer_.node(op, name, inputs, out);
  return {out, flat};
}

Value Emitter::flattened(const Node& n, Value v) {
  if (v.flat) return v;
  const std::string out = n.name + "/flatten";
  writer_.node("Flatten", out, {v.name}, out).set("axis", std::int64_t{1});
  return {out, true};
}

std::string Emitter::map(const Node& n, std::size_t i) {
  const Value& v = value(n, i);
  if (!v.flat) return v.name;
  const std::string name = n.name + "/map " + std::to_string(i);
  const Dims dims{0, source(n, i).shape.c, 1, 1};
  return simple("Reshape", n, {v.name, writer_.tensor(name + "/dims", {4}, std::span(dims))}, false,
                "/map " + std::to_string(i))
      .name;
}

Value Emitter::activated(const Node& n, Value v) {
  const Activation* act = fused_activation(n.op);
  if (act == nullptr || *act == Activation::kNone) return v;
  float most = 6.0f;
  bool capped = *act == Activation::kRelu6;
  if (capped && n.integer && is_integer(n)) {
    // Where the cut rounds to the type's largest value, saturation makes it.
    capped = std::nearbyint(n.integer->hi) < (n.type.dtype == DType::kU8 ? 255.0f : 127.0f);
    most = static_cast<float>(n.integer->hi * tensor_scale(n));
  }
  if (!capped) return simple("Relu", n, {v.name}, v.flat, "/relu");
  const std::string lo = scalar(n.name + "/clip/min", 0.0f), hi = scalar(n.name + "/clip/max", most);
  return simple("Clip", n, {v.name, lo, hi}, v.flat, "/relu6");
}

Value Emitter::quantized(const Node& n, Value v) {
  if (n.inputs.size() > 1 && n.type.scale.size() > 1) {
    fail("{}: layer '{}' adds a residual and has scales per channel, which has no ONNX form", graph_.name, n.name);
  }
  const std::string scale = scalar(n.name + "/scale", static_cast<float>(tensor_scale(n))),
                    zero = n.name + "/zero_point";
  if (n.type.dtype == DType::kU8) {
    const auto point = static_cast<std::uint8_t>(n.type.zero_point);
    writer_.tensor(zero, {}, std::span(&point, 1));
  } else {
    const std::int8_t none = 0;
    writer_.tensor(zero, {}, std::span(&none, 1));
  }
  const std::string q = n.name + "/quantized", real = n.name + "/dequantized";
  writer_.node("QuantizeLinear", n.name + "/quantize", {v.name, scale, zero}, q);
  writer_.node("DequantizeLinear", n.name + "/dequantize", {q, scale, zero}, real);
  return {real, v.flat};
}

Value Emitter::rescaled(const Node& n, Value v, const Node& scaled, bool to_one_scale) {
  const std::vector<float>& scale = scaled.type.scale;
  if (scale.size() <= 1) return v;
  std::vector<float> factor;
  for (const float s : scale) {
    factor.push_back(static_cast<float>(to_one_scale ? tensor_scale(scaled) / s : s / tensor_scale(scaled)));
  }
  return simple("Mul", n, {v.name, per_channel(n, "/channel_scale", factor, v.flat)}, v.flat, "/equalize");
}

std::string Emitter::per_channel(const Node& n, const std::string& suffix, std::span<const float> values, bool flat) {
  return writer_.tensor(n.name + suffix, flat ? Dims{n.shape.c} : Dims{n.shape.c, 1, 1}, values);
}

std::string Emitter::scalar(const std::string& name, float value) {
  return writer_.tensor(name, {}, std::span<const float>(&value, 1));
}

}  // namespace gpueval::onnx_export
