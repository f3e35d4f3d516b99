// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cuda/engine/step.h"

namespace gpueval::cuda {

std::unique_ptr<Step> make_float_step(const MaxPool& op, const StepContext& context) {
  return make_simple_step("max_pool", [&ops = ops_of(context.runtime), window = op.window,
                                       src = context.self().inputs[0], self = context.node](const Pass& pass) {
    ops.max_pool_float(pass.view(src), window, pass.view(self), pass.stream);
  });
}
std::unique_ptr<Step> make_int8_step(const MaxPool& op, const StepContext& context) {
  const bool joined = context.pooled.is_joined(context.node);
  return make_simple_step(
      joined ? "in place" : "max_pool_s8",
      [joined, &ops = ops_of(context.runtime), window = op.window, m = context.form().input_factors[0],
       src = context.self().inputs[0], self = context.node](const Pass& pass) {
        if (joined && !pass.apart) return;
        ops.max_pool(pass.view(src), window, m, pass.view(self), pass.stream);
      },
      joined);
}

std::unique_ptr<Step> make_float_step(const AvgPool& op, const StepContext& context) {
  return make_simple_step("avg_pool", [&ops = ops_of(context.runtime), window = op.window,
                                       src = context.self().inputs[0], self = context.node](const Pass& pass) {
    ops.avg_pool_float(pass.view(src), window, pass.view(self), pass.stream);
  });
}
std::unique_ptr<Step> make_int8_step(const AvgPool& op, const StepContext& context) {
  return make_simple_step("avg_pool_s8", [&ops = ops_of(context.runtime), window = op.window,
                                          m = keep_on_device(context, context.form().window_factors),
                                          src = context.self().inputs[0], self = context.node](const Pass& pass) {
    ops.avg_pool(pass.view(src), window, floats(m), pass.view(self), pass.stream);
  });
}

std::unique_ptr<Step> make_float_step(const GlobalAvgPool&, const StepContext& context) {
  return make_simple_step("global_avg_pool", [&ops = ops_of(context.runtime), src = context.self().inputs[0],
                                              self = context.node](const Pass& pass) {
    ops.global_avg_pool_float(pass.view(src), pass.view(self), pass.stream);
  });
}
std::unique_ptr<Step> make_int8_step(const GlobalAvgPool&, const StepContext& context) {
  return make_simple_step("global_avg_pool_s8",
                          [&ops = ops_of(context.runtime), m = context.form().mean_factor,
                           src = context.self().inputs[0], self = context.node](const Pass& pass) {
                            ops.global_avg_pool(pass.view(src), m, pass.view(self), pass.stream);
                          });
}

}  // namespace gpueval::cuda
