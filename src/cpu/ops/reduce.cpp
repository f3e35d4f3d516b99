// SPDX-License-Identifier: Apache-2.0
#include "cpu/float32/reduce.h"
#include "cpu/step.h"

namespace gpueval::cpu {
namespace {

std::shared_ptr<const std::vector<float>> numbers(const Node& node, Role role) {
  const Param* param = node.find(role);
  return param != nullptr ? param->array.data : nullptr;
}

}  // namespace

std::unique_ptr<Step> make_float_step(const Softmax&, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step("softmax_f32",
                     [=](const Tensors& tensors, int n) { softmax_f32(tensors.view(src, n), tensors.view(self, n)); });
}

std::unique_ptr<Step> make_float_step(const Normalize& op, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step("normalize_f32", [=, gamma = numbers(context.self(), Role::kGamma),
                                       beta = numbers(context.self(), Role::kBeta)](const Tensors& tensors, int n) {
    normalize_f32(tensors.view(src, n), op, gamma.get(), beta.get(), tensors.view(self, n));
  });
}

std::unique_ptr<Step> make_float_step(const Reduce& op, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step("reduce_f32", [=](const Tensors& tensors, int n) {
    reduce_f32(tensors.view(src, n), op, tensors.view(self, n));
  });
}

}  // namespace gpueval::cpu
