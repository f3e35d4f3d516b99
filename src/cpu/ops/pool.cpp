// SPDX-License-Identifier: Apache-2.0
#include "cpu/conv_steps.h"
#include "cpu/int8/int8_ops.h"
#include "cpu/step.h"

namespace gpueval::cpu {

std::unique_ptr<Step> make_float_step(const MaxPool& op, const StepContext& context) {
  return make_onednn_pool(context, op.window, true);
}
std::unique_ptr<Step> make_float_step(const AvgPool& op, const StepContext& context) {
  return make_onednn_pool(context, op.window, false);
}
std::unique_ptr<Step> make_float_step(const GlobalAvgPool&, const StepContext& context) {
  const Shape& in = context.input(0).shape;
  return make_onednn_pool(context, {.kernel_h = in.h, .kernel_w = in.w}, false);
}

std::unique_ptr<Step> make_int8_step(const MaxPool& op, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  const float m = context.form().input_factors[0];
  return simple_step(int8_name("max_pool"), [=, window = op.window](const Tensors& tensors, int n) {
    max_pool(tensors.quant_view(src, n), window, m, tensors.quant_view(self, n));
  });
}

std::unique_ptr<Step> make_int8_step(const AvgPool& op, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step(int8_name("avg_pool"),
                     [=, window = op.window, m = context.form().window_factors](const Tensors& tensors, int n) {
                       avg_pool(tensors.quant_view(src, n), window, m, tensors.quant_view(self, n));
                     });
}

std::unique_ptr<Step> make_int8_step(const GlobalAvgPool&, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  const float m = context.form().mean_factor;
  return simple_step(int8_name("global_avg_pool"), [=](const Tensors& tensors, int n) {
    const QuantView dst = tensors.quant_view(self, n);
    if (dst.dtype == DType::kF32) {
      global_avg_pool_f32(tensors.quant_view(src, n), m, static_cast<float*>(dst.data));
    } else {
      global_avg_pool(tensors.quant_view(src, n), m, dst);
    }
  });
}

}  // namespace gpueval::cpu
