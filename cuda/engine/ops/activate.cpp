// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <vector>

#include "cuda/engine/step.h"

namespace gpueval::cuda {
namespace {

bool per_element(const Node& node, const std::vector<float>& numbers) { return std::ssize(numbers) != node.shape.c; }

}  // namespace

std::unique_ptr<Step> make_float_step(const Activate& op, const StepContext& context) {
  return make_simple_step(
      to_string(op.function.kind),
      [&ops = ops_of(context.runtime), function = op.function, src = context.self().inputs[0], self = context.node](
          const Pass& pass) { ops.activate_float(pass.view(src), function, pass.view(self), pass.stream); });
}

std::unique_ptr<Step> make_int8_step(const Activate&, const StepContext& context) {
  const std::span<const std::uint8_t> bytes = context.form().table;
  const auto table = std::make_shared<const DeviceBuffer>(upload(context.runtime, bytes, context.stream));
  return make_simple_step("lookup", [&ops = ops_of(context.runtime), table, src = context.self().inputs[0],
                                     self = context.node](const Pass& pass) {
    ops.lookup(pass.view(src), static_cast<const std::uint8_t*>(table->data()), pass.view(self), pass.stream);
  });
}

std::unique_ptr<Step> make_float_step(const PRelu&, const StepContext& context) {
  const std::vector<float>& alpha = *context.self().find(Role::kAlpha)->array.data;
  return make_simple_step("prelu", [&ops = ops_of(context.runtime), slopes = keep_on_device(context, alpha),
                                    each = per_element(context.self(), alpha), src = context.self().inputs[0],
                                    self = context.node](const Pass& pass) {
    ops.prelu_float(pass.view(src), floats(slopes), each, pass.view(self), pass.stream);
  });
}

std::unique_ptr<Step> make_int8_step(const PRelu&, const StepContext& context) {
  const IntegerOp& form = context.form();
  return make_simple_step("prelu_s8", [&ops = ops_of(context.runtime), m = keep_on_device(context, form.m),
                                       b = keep_on_device(context, form.b), each = per_element(context.self(), form.m),
                                       src = context.self().inputs[0], self = context.node](const Pass& pass) {
    ops.prelu(pass.view(src), floats(m), floats(b), each, pass.view(self), pass.stream);
  });
}

}  // namespace gpueval::cuda
