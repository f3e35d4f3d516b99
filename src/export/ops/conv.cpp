// SPDX-License-Identifier: Apache-2.0
// Convolutions and dense layers with their weights.
#include <span>
#include <utility>

#include "export/emitter.h"
#include "export/integer_layer.h"
#include "export/layout.h"
#include "quant/lowering.h"

namespace gpueval::onnx_export {
namespace {

struct Weights {
  std::string kernel, bias;  // bias: "" if there is none
};

bool is_dense(const Node& n) { return std::holds_alternative<Dense>(n.op); }

Dims kernel_dims(const Node& n, const ConvDesc& desc) {
  if (is_dense(n)) return {desc.k, std::int64_t{desc.h} * desc.w * desc.c};
  return {desc.k, desc.depthwise ? 1 : desc.group_channels(), desc.window.kernel_h, desc.window.kernel_w};
}

Weights float_weights(Emitter& e, const Node& n, const ConvDesc& desc) {
  const std::span<const float> kernel = *n.params[0].array.data;
  Weights weights;
  weights.kernel = n.name + "/weights";
  const std::span<float> dst = e.writer().float_tensor(weights.kernel, kernel_dims(n, desc));
  if (is_dense(n)) {
    dense_from_keras(kernel, e.source(n).shape, dst);
  } else {
    conv_from_keras(kernel, desc, dst);
  }
  if (const Param* bias = n.find(Role::kBias)) {
    weights.bias = e.writer().tensor(n.name + "/bias", {desc.k}, std::span(*bias->array.data));
  }
  return weights;
}

// DequantizeLinear along axis 0 of an initializer; returns the float tensor.
template <typename T>
std::string dequantized(Emitter& e, const std::string& name, const Dims& dims, const std::vector<T>& values,
                        const std::vector<float>& scale) {
  const Dims channels{static_cast<std::int64_t>(scale.size())};
  const std::vector<T> zeros(scale.size(), T{0});
  const std::vector<std::string> inputs{e.writer().tensor(name + "/quantized", dims, std::span(values)),
                                        e.writer().tensor(name + "/scale", channels, std::span(scale)),
                                        e.writer().tensor(name + "/zero_point", channels, std::span(zeros))};
  e.writer().node("DequantizeLinear", name + "/dequantize", inputs, name).set("axis", std::int64_t{0});
  return name;
}

// ONNX's own zero points do what is in the biases.
IntegerOp without_zero_points(const Emitter& e, int index) {
  const Node& n = e.node(index);
  IntegerOp op = *n.integer;
  const std::vector<double> shares = zero_point_shares(e.graph(), index, op);
  for (std::size_t k = 0; k < op.b.size(); ++k) op.b[k] = static_cast<float>(op.b[k] + shares[k] - n.type.zero_point);
  return op;
}

Weights integer_weights(Emitter& e, int index, const ConvDesc& desc) {
  const Node& n = e.node(index);
  const double dst = tensor_scale(n), src = tensor_scale(e.source(n));
  const IntegerLayer layer = integer_layer(without_zero_points(e, index), desc, src, dst, e.bias_form());
  const std::span<const std::int8_t> kernel = layer.weights;
  const std::vector<std::int8_t> values =
      is_dense(n) ? dense_from_khwc(kernel, e.source(n).shape) : conv_from_krsc(kernel, desc);
  Weights weights;
  weights.kernel = dequantized(e, n.name + "/weights", kernel_dims(n, desc), values, layer.weight_scale);
  weights.bias = e.bias_form() == OnnxBias::kInt32
                     ? dequantized(e, n.name + "/bias", {desc.k}, layer.integer_bias, layer.integer_bias_scale)
                     : e.writer().tensor(n.name + "/bias", {desc.k}, std::span(layer.bias));
  return weights;
}

std::vector<std::string> inputs_of(Emitter& e, int index, const Value& src, const ConvDesc& desc) {
  const Node& n = e.node(index);
  const Weights weights = n.integer ? integer_weights(e, index, desc) : float_weights(e, n, desc);
  std::vector<std::string> inputs{src.name, weights.kernel};
  if (!weights.bias.empty()) inputs.push_back(weights.bias);
  return inputs;
}

Value emit_conv(Emitter& e, int index) {
  const Node& n = e.node(index);
  const ConvDesc desc = *conv_desc(e.graph(), index);
  const std::string out = n.name + "/output";
  const Window& window = desc.window;
  const Padding& pad = window.pad;
  NodeRef conv = e.writer().node("Conv", n.name, inputs_of(e, index, e.value(n), desc), out);
  conv.set("kernel_shape", Dims{window.kernel_h, window.kernel_w})
      .set("strides", Dims{window.stride_h, window.stride_w});
  if (window.dilated()) conv.set("dilations", Dims{window.dilation_h, window.dilation_w});
  conv.set("pads", Dims{pad.top, pad.left, pad.bottom, pad.right});
  conv.set("group", std::int64_t{desc.depthwise ? desc.c : desc.groups});
  if (n.inputs.size() == 1) return {out, false};
  return e.simple("Add", n, {out, e.value(n, 1).name}, false, "/add");
}

}  // namespace

Value emit(const Conv2D&, Emitter& e, int index) { return emit_conv(e, index); }
Value emit(const DepthwiseConv2D&, Emitter& e, int index) { return emit_conv(e, index); }

Value emit(const Dense&, Emitter& e, int index) {
  const Node& n = e.node(index);
  const Value src = e.flattened(n, e.value(n));
  const std::string out = n.name + "/output";
  e.writer()
      .node("Gemm", n.name, inputs_of(e, index, src, *conv_desc(e.graph(), index)), out)
      .set("transB", std::int64_t{1});
  return {out, true};
}

}  // namespace gpueval::onnx_export
