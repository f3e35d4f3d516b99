// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <utility>

#include "cpu/convert.h"
#include "cpu/float_ops.h"
#include "cpu/int8/int8_ops.h"
#include "cpu/step.h"

namespace gpueval::cpu {

std::unique_ptr<Step> make_float_step(const BatchNorm& op, const StepContext& context) {
  const Node& node = context.self();
  const Param* gamma = node.find(Role::kGamma);
  const std::vector<float>& variance = *node.find(Role::kVariance)->array.data;
  std::vector<float> gain(variance.size());
  for (std::size_t c = 0; c < gain.size(); ++c) {
    gain[c] = (gamma != nullptr ? (*gamma->array.data)[c] : 1.0f) / std::sqrt(variance[c] + op.eps);
  }
  const int src = node.inputs[0], self = context.node;
  return simple_step("batch_norm_f32",
                     [=, act = op.act, gain = std::move(gain), mean = node.find(Role::kMean)->array.data,
                      beta = node.find(Role::kBeta)->array.data](const Tensors& tensors, int n) {
                       batch_norm_f32(tensors.view(src, n), gain, *mean, *beta, act, tensors.view(self, n));
                     });
}

std::unique_ptr<Step> make_float_step(const Relu& op, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step("relu_f32", [=, act = op.act](const Tensors& tensors, int n) {
    relu_f32(tensors.view(src, n), act, tensors.view(self, n));
  });
}

std::unique_ptr<Step> make_int8_step(const Relu&, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  const IntegerOp& form = context.form();
  return simple_step(int8_name("requantize"), [=, &form](const Tensors& tensors, int n) {
    requantize(tensors.quant_view(src, n), form.input_factors[0], form.lo, form.hi, tensors.quant_view(self, n));
  });
}

std::unique_ptr<Step> make_float_step(const Add& op, const StepContext& context) {
  const int src = context.self().inputs[0], other = context.self().inputs[1], self = context.node;
  return simple_step("add_f32", [=, act = op.act](const Tensors& tensors, int n) {
    add_f32(tensors.view(src, n), tensors.view(other, n), act, tensors.view(self, n));
  });
}

std::unique_ptr<Step> make_int8_step(const Add&, const StepContext& context) {
  const int src = context.self().inputs[0], other = context.self().inputs[1], self = context.node;
  const IntegerOp& form = context.form();
  return simple_step(int8_name("add"), [=, &form](const Tensors& tensors, int n) {
    add(tensors.quant_view(src, n), form.input_factors[0], tensors.quant_view(other, n), form.input_factors[1], form.lo,
        form.hi, tensors.quant_view(self, n));
  });
}

std::unique_ptr<Step> make_int8_step(const Quantize&, const StepContext& context) {
  const std::vector<float>& scale = context.self().type.scale;
  const int src = context.self().inputs[0], self = context.node;
  if (scale.size() > 1) {
    return simple_step("quantize_channels", [=](const Tensors& tensors, int n) {
      quantize_channels(tensors.view(src, n), scale, tensors.quant_view(self, n));
    });
  }
  return simple_step(int8_name("quantize"), [=, scale = scale[0]](const Tensors& tensors, int n) {
    const TensorView from = tensors.view(src, n);
    quantize(static_cast<const float*>(from.data), from.pitch, scale, tensors.quant_view(self, n));
  });
}

std::unique_ptr<Step> make_int8_step(const Dequantize&, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step("dequantize", [=, scale = context.input(0).type.scale](const Tensors& tensors, int n) {
    dequantize(tensors.quant_view(src, n), scale, tensors.view(self, n));
  });
}

}  // namespace gpueval::cpu
