// SPDX-License-Identifier: Apache-2.0
// Convolutions and dense layers with their weights, and the QuantizeLinear/DequantizeLinear pairs of tensors.
#include <span>
#include <utility>

#include "export/emitter.h"
#include "export/integer_layer.h"
#include "export/layout.h"
#include "gpueval/error.h"

namespace gpueval::onnx_export {
namespace {

bool is_dense(const Node& n) { return std::holds_alternative<Dense>(n.op); }

Dims kernel_dims(const Node& n, const ConvDesc& desc) {
  if (is_dense(n)) return {desc.k, std::int64_t{desc.h} * desc.w * desc.c};
  return {desc.k, desc.depthwise ? 1 : desc.c, desc.window.kernel_h, desc.window.kernel_w};
}

}  // namespace

Emitter::Value Emitter::emit_layer(int index) {
  const Node& n = node(index);
  const ConvDesc desc = *conv_desc(graph_, index);
  Value src = value(n);
  if (is_dense(n)) src = flattened(n, std::move(src));
  const Weights weights = n.integer ? integer_weights(n, desc) : float_weights(n, desc);
  std::vector<std::string> inputs{src.name, weights.kernel};
  if (!weights.bias.empty()) inputs.push_back(weights.bias);
  const std::string out = n.name + "/output";
  if (is_dense(n)) {
    writer_.node("Gemm", n.name, inputs, out).set("transB", std::int64_t{1});
    return {out, true};
  }
  const Window& window = desc.window;
  const Padding& pad = window.pad;
  NodeRef conv = writer_.node("Conv", n.name, inputs, out);
  conv.set("kernel_shape", Dims{window.kernel_h, window.kernel_w})
      .set("strides", Dims{window.stride_h, window.stride_w});
  conv.set("pads", Dims{pad.top, pad.left, pad.bottom, pad.right});
  conv.set("group", std::int64_t{desc.depthwise ? desc.c : 1});
  if (n.inputs.size() == 1) return {out, false};
  return emit_simple("Add", n, {out, value(n, 1).name}, false, "/add");
}

Emitter::Weights Emitter::float_weights(const Node& n, const ConvDesc& desc) {
  const std::span<const float> kernel = *n.params[0].array.data;
  Weights weights;
  weights.kernel = n.name + "/weights";
  const std::span<float> dst = writer_.float_tensor(weights.kernel, kernel_dims(n, desc));
  if (is_dense(n)) {
    dense_from_keras(kernel, source(n).shape, dst);
  } else {
    conv_from_keras(kernel, desc, dst);
  }
  if (const Param* bias = n.find(Role::kBias)) {
    weights.bias = writer_.tensor(n.name + "/bias", {desc.k}, std::span(*bias->array.data));
  }
  return weights;
}

template <typename T>
std::string Emitter::dequantized(const std::string& name, const Dims& dims, const std::vector<T>& values,
                                 const std::vector<float>& scale) {
  const Dims channels{static_cast<std::int64_t>(scale.size())};
  const std::vector<T> zeros(scale.size(), T{0});
  const std::vector<std::string> inputs{writer_.tensor(name + "/quantized", dims, std::span(values)),
                                        writer_.tensor(name + "/scale", channels, std::span(scale)),
                                        writer_.tensor(name + "/zero_point", channels, std::span(zeros))};
  writer_.node("DequantizeLinear", name + "/dequantize", inputs, name).set("axis", std::int64_t{0});
  return name;
}

Emitter::Weights Emitter::integer_weights(const Node& n, const ConvDesc& desc) {
  const double dst = tensor_scale(n), src = tensor_scale(source(n));
  const IntegerLayer layer = integer_layer(*n.integer, desc, src, dst, bias_);
  const std::span<const std::int8_t> kernel = layer.weights;
  const std::vector<std::int8_t> values =
      is_dense(n) ? dense_from_khwc(kernel, source(n).shape) : conv_from_krsc(kernel, desc);
  Weights weights;
  weights.kernel = dequantized(n.name + "/weights", kernel_dims(n, desc), values, layer.weight_scale);
  weights.bias = bias_ == OnnxBias::kInt32
                     ? dequantized(n.name + "/bias", {desc.k}, layer.integer_bias, layer.integer_bias_scale)
                     : writer_.tensor(n.name + "/bias", {desc.k}, std::span(layer.bias));
  return weights;
}

Emitter::Value Emitter::quantized(const Node& n, Value v) {
  if (n.inputs.size() > 1 && n.type.scale.size() > 1) {
    fail("{}: layer '{}' adds a residual and has scales per channel, which has no ONNX form", graph_.name, n.name);
  }
  const std::string scale = scalar(n.name + "/scale", static_cast<float>(tensor_scale(n))),
                    zero = n.name + "/zero_point";
  if (n.type.dtype == DType::kU8) {
    const std::uint8_t none = 0;
    writer_.tensor(zero, {}, std::span(&none, 1));
  } else {
    const std::int8_t none = 0;
    writer_.tensor(zero, {}, std::span(&none, 1));
  }
  const std::string q = n.name + "/quantized", real = n.name + "/dequantized";
  writer_.node("QuantizeLinear", n.name + "/quantize", {v.name, scale, zero}, q);
  writer_.node("DequantizeLinear", n.name + "/dequantize", {q, scale, zero}, real);
  return {real, v.flat};
}

Emitter::Value Emitter::rescaled(const Node& n, Value v, const Node& scaled, bool to_one_scale) {
  const std::vector<float>& scale = scaled.type.scale;
  if (scale.size() <= 1) return v;
  std::vector<float> factor;
  for (const float s : scale) {
    factor.push_back(static_cast<float>(to_one_scale ? tensor_scale(scaled) / s : s / tensor_scale(scaled)));
  }
  const Dims dims = v.flat ? Dims{n.shape.c} : Dims{n.shape.c, 1, 1};
  const std::string by = writer_.tensor(n.name + "/channel_scale", dims, std::span(factor));
  return emit_simple("Mul", n, {v.name, by}, v.flat, "/equalize");
}

}  // namespace gpueval::onnx_export
