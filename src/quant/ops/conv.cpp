// SPDX-License-Identifier: Apache-2.0
// Convolutions and dense layers: weights per channel, or what a calibration recipe made of them.
#include <memory>
#include <utility>

#include "gpueval/error.h"
#include "quant/integer_form.h"
#include "quant/lowering.h"

namespace gpueval {
namespace {

struct QuantizedWeights {
  std::vector<std::int8_t> values;
  std::vector<double> scale;  // real = scale[k] * acc + bias[k]
  std::vector<float> bias;
};

QuantizedWeights quantized_weights(const IntegerContext& context) {
  const Node& node = context.node();
  QuantizedWeights result{.values = {}, .scale = {}, .bias = bias_or_zeros(node)};
  const auto found = context.table.corrections.find(node.name);
  const LayerCorrection correction = found != context.table.corrections.end() ? found->second : LayerCorrection{};
  if (!correction.bias.empty()) result.bias = correction.bias;
  if (!correction.weights.empty()) {
    result.values = correction.weights;
    result.scale.assign(correction.weight_scale.begin(), correction.weight_scale.end());
  } else {
    const std::vector<float>& src_scale = context.source().type.scale;
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
         context.graph.name);
  }
  return result;
}

IntegerOp conv_form(const IntegerContext& context) {
  check_accumulator(context.graph, context.index);
  const Node& node = context.node();
  QuantizedWeights weights = quantized_weights(context);
  IntegerOp op = clamped_form(node);
  op.weights = std::make_shared<const std::vector<std::int8_t>>(std::move(weights.values));
  for (std::size_t k = 0; k < weights.scale.size(); ++k)
    op.m.push_back(static_cast<float>(weights.scale[k] / scale_of(node, k)));
  if (node.inputs.size() > 1) op.residual_scale = static_cast<float>(scale_of(context.source(1)) / scale_of(node));
  set_biases(context.graph, context.index, weights.bias, op);
  return op;
}

}  // namespace

std::optional<IntegerOp> integer_form(const Conv2D&, const IntegerContext& context) { return conv_form(context); }
std::optional<IntegerOp> integer_form(const DepthwiseConv2D&, const IntegerContext& context) {
  return conv_form(context);
}
std::optional<IntegerOp> integer_form(const Dense&, const IntegerContext& context) { return conv_form(context); }

}  // namespace gpueval
