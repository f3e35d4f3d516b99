// SPDX-License-Identifier: Apache-2.0
#include "cpu/float32/elementwise.h"
#include "cpu/int8/elementwise.h"
#include "cpu/step.h"

namespace gpueval::cpu {

std::unique_ptr<Step> make_float_step(const Activate& op, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step(to_string(op.function.kind) + "_f32", [=, function = op.function](const Tensors& tensors, int n) {
    activate_f32(tensors.view(src, n), function, tensors.view(self, n));
  });
}

std::unique_ptr<Step> make_int8_step(const Activate&, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step(int8_name("lookup"), [=, &form = context.form()](const Tensors& tensors, int n) {
    lookup(tensors.quant_view(src, n), form.table, tensors.quant_view(self, n));
  });
}

std::unique_ptr<Step> make_float_step(const PRelu&, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  const auto alpha = context.self().find(Role::kAlpha)->array.data;
  return simple_step("prelu_f32", [=](const Tensors& tensors, int n) {
    prelu_f32(tensors.view(src, n), *alpha, tensors.view(self, n));
  });
}

std::unique_ptr<Step> make_int8_step(const PRelu&, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step(int8_name("prelu"), [=, &form = context.form()](const Tensors& tensors, int n) {
    prelu(tensors.quant_view(src, n), form.m, form.b, tensors.quant_view(self, n));
  });
}

}  // namespace gpueval::cpu
