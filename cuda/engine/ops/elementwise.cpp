// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <memory>
#include <vector>

#include "cuda/engine/step.h"

namespace gpueval::cuda {

std::unique_ptr<Step> make_float_step(const BatchNorm& op, const StepContext& context) {
  const Node& node = context.self();
  const Param* gamma = node.find(Role::kGamma);
  const std::vector<float>& variance = *node.find(Role::kVariance)->array.data;
  const std::size_t channels = variance.size();
  std::vector<float> table(3 * channels);  // gain, mean, beta
  for (std::size_t c = 0; c < channels; ++c) {
    table[c] = (gamma != nullptr ? (*gamma->array.data)[c] : 1.0f) / std::sqrt(variance[c] + op.eps);
    table[channels + c] = (*node.find(Role::kMean)->array.data)[c];
    table[2 * channels + c] = (*node.find(Role::kBeta)->array.data)[c];
  }
  return make_simple_step(
      "batch_norm", [&ops = ops_of(context.runtime), device = keep_on_device(context, table), channels, act = op.act,
                     src = node.inputs[0], self = context.node](const Pass& pass) {
        const float* gain = floats(device);
        ops.batch_norm(pass.view(src), gain, gain + channels, gain + 2 * channels, act, pass.view(self), pass.stream);
      });
}

std::unique_ptr<Step> make_float_step(const Relu& op, const StepContext& context) {
  return make_simple_step(
      "relu", [&ops = ops_of(context.runtime), act = op.act, src = context.self().inputs[0], self = context.node](
                  const Pass& pass) { ops.relu_float(pass.view(src), act, pass.view(self), pass.stream); });
}
std::unique_ptr<Step> make_int8_step(const Relu&, const StepContext& context) {
  return make_simple_step("requantize_s8", [&ops = ops_of(context.runtime), &form = context.form(),
                                            src = context.self().inputs[0], self = context.node](const Pass& pass) {
    ops.requantize(pass.view(src), form.input_factors[0], form.lo, form.hi, pass.view(self), pass.stream);
  });
}

std::unique_ptr<Step> make_float_step(const Add& op, const StepContext& context) {
  return make_simple_step("add", [&ops = ops_of(context.runtime), act = op.act, src = context.self().inputs[0],
                                  other = context.self().inputs[1], self = context.node](const Pass& pass) {
    ops.add_float(pass.view(src), pass.view(other), act, pass.view(self), pass.stream);
  });
}
std::unique_ptr<Step> make_int8_step(const Add&, const StepContext& context) {
  return make_simple_step("add_s8",
                          [&ops = ops_of(context.runtime), &form = context.form(), src = context.self().inputs[0],
                           other = context.self().inputs[1], self = context.node](const Pass& pass) {
                            ops.add(pass.view(src), form.input_factors[0], pass.view(other), form.input_factors[1],
                                    form.lo, form.hi, pass.view(self), pass.stream);
                          });
}

std::unique_ptr<Step> make_int8_step(const Quantize&, const StepContext& context) {
  const std::vector<float>& scale = context.self().type.scale;
  return make_simple_step("quantize", [&ops = ops_of(context.runtime), per_channel = scale.size() > 1,
                                       first = scale.front(), scales = keep_on_device(context, scale),
                                       src = context.self().inputs[0], self = context.node](const Pass& pass) {
    const DeviceView from = pass.view(src), to = pass.view(self);
    if (src == 0 && pass.bytes.pixels != nullptr) {
      ops.preprocess(pass.bytes.view(from.shape, pass.first), pass.bytes.table, false, first, to, pass.stream);
    } else {
      ops.quantize(from, floats(scales), per_channel, to, pass.stream);
    }
  });
}
std::unique_ptr<Step> make_int8_step(const Dequantize&, const StepContext& context) {
  const std::vector<float>& scale = context.input(0).type.scale;
  return make_simple_step("dequantize", [&ops = ops_of(context.runtime), per_channel = scale.size() > 1,
                                         scales = keep_on_device(context, scale), src = context.self().inputs[0],
                                         self = context.node](const Pass& pass) {
    ops.dequantize(pass.view(src), floats(scales), per_channel, pass.view(self), pass.stream);
  });
}

}  // namespace gpueval::cuda
