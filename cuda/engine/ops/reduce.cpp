// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cuda/engine/step.h"

namespace gpueval::cuda {
namespace {

// Null where the node has none.
KeptBuffer kept(const StepContext& context, Role role) {
  const Param* param = context.self().find(role);
  return param != nullptr ? keep_on_device(context, *param->array.data) : nullptr;
}
const float* floats_or_null(const KeptBuffer& buffer) { return buffer != nullptr ? floats(buffer) : nullptr; }

}  // namespace

std::unique_ptr<Step> make_float_step(const Softmax&, const StepContext& context) {
  return make_simple_step("softmax",
                          [&ops = ops_of(context.runtime), src = context.self().inputs[0], self = context.node](
                              const Pass& pass) { ops.softmax_float(pass.view(src), pass.view(self), pass.stream); });
}

std::unique_ptr<Step> make_float_step(const Normalize& op, const StepContext& context) {
  return make_simple_step("normalize", [&ops = ops_of(context.runtime), op, gamma = kept(context, Role::kGamma),
                                        beta = kept(context, Role::kBeta), src = context.self().inputs[0],
                                        self = context.node](const Pass& pass) {
    ops.normalize_float(pass.view(src), op, floats_or_null(gamma), floats_or_null(beta), pass.view(self), pass.stream);
  });
}

std::unique_ptr<Step> make_float_step(const Reduce& op, const StepContext& context) {
  return make_simple_step(
      "reduce", [&ops = ops_of(context.runtime), op, src = context.self().inputs[0], self = context.node](
                    const Pass& pass) { ops.reduce_float(pass.view(src), op, pass.view(self), pass.stream); });
}

}  // namespace gpueval::cuda
