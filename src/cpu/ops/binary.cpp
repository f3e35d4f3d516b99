// SPDX-License-Identifier: Apache-2.0
#include "cpu/float32/elementwise.h"
#include "cpu/int8/elementwise.h"
#include "cpu/step.h"

namespace gpueval::cpu {

std::unique_ptr<Step> make_float_step(const Binary& op, const StepContext& context) {
  const int a = context.self().inputs[0], b = context.self().inputs[1], self = context.node;
  return simple_step(to_string(op.kind) + "_f32", [=, kind = op.kind](const Tensors& tensors, int n) {
    binary_f32(kind, tensors.view(a, n), tensors.view(b, n), tensors.view(self, n));
  });
}

std::unique_ptr<Step> make_int8_step(const Binary& op, const StepContext& context) {
  const int a = context.self().inputs[0], b = context.self().inputs[1], self = context.node;
  const std::vector<float>& m = op.kind == BinaryKind::kMultiply ? context.form().m : context.form().input_factors;
  return simple_step(int8_name(to_string(op.kind).c_str()), [=, kind = op.kind, m1 = m.front(), m2 = m.back()](
                                                                const Tensors& tensors, int n) {
    binary(kind, tensors.quant_view(a, n), m1, tensors.quant_view(b, n), m2, tensors.quant_view(self, n));
  });
}

}  // namespace gpueval::cpu
