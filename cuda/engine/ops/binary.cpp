// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cuda/engine/step.h"

namespace gpueval::cuda {

std::unique_ptr<Step> make_float_step(const Binary& op, const StepContext& context) {
  return make_simple_step(to_string(op.kind),
                          [&ops = ops_of(context.runtime), kind = op.kind, a = context.self().inputs[0],
                           b = context.self().inputs[1], self = context.node](const Pass& pass) {
                            ops.binary_float(kind, pass.view(a), pass.view(b), pass.view(self), pass.stream);
                          });
}

std::unique_ptr<Step> make_int8_step(const Binary& op, const StepContext& context) {
  const std::vector<float>& m = op.kind == BinaryKind::kMultiply ? context.form().m : context.form().input_factors;
  return make_simple_step(
      to_string(op.kind) + "_s8",
      [&ops = ops_of(context.runtime), kind = op.kind, m1 = m.front(), m2 = m.back(), a = context.self().inputs[0],
       b = context.self().inputs[1], self = context.node](const Pass& pass) {
        ops.binary(kind, pass.view(a), m1, pass.view(b), m2, pass.view(self), pass.stream);
      });
}

}  // namespace gpueval::cuda
