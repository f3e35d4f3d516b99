// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cuda/engine/step.h"

namespace gpueval::cuda {

std::unique_ptr<Step> make_float_step(const Affine& op, const StepContext& context) {
  const Node& node = context.self();
  return make_simple_step("affine", [&ops = ops_of(context.runtime), act = op.act,
                                     gamma = keep_on_device(context, *node.find(Role::kGamma)->array.data),
                                     beta = keep_on_device(context, *node.find(Role::kBeta)->array.data),
                                     src = node.inputs[0], self = context.node](const Pass& pass) {
    ops.affine_float(pass.view(src), floats(gamma), floats(beta), act, pass.view(self), pass.stream);
  });
}

std::unique_ptr<Step> make_int8_step(const Affine&, const StepContext& context) {
  const IntegerOp& form = context.form();
  return make_simple_step("affine_s8", [&ops = ops_of(context.runtime), m = keep_on_device(context, form.m),
                                        b = keep_on_device(context, form.b), lo = form.lo, hi = form.hi,
                                        src = context.self().inputs[0], self = context.node](const Pass& pass) {
    ops.affine(pass.view(src), floats(m), floats(b), lo, hi, pass.view(self), pass.stream);
  });
}

}  // namespace gpueval::cuda
