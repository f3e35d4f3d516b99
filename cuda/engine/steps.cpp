// SPDX-License-Identifier: Apache-2.0
// Which step runs a node: that of its operation (ops/), in the form that it takes.
#include <memory>
#include <utility>

#include "cuda/engine/step.h"
#include "gpueval/error.h"
#include "graph/op_row.h"

namespace gpueval::cuda {
namespace {

class SimpleStep : public Step {
 public:
  SimpleStep(std::string kernel, Enqueue enqueue, bool in_place)
      : kernel_(std::move(kernel)), enqueue_(std::move(enqueue)), in_place_(in_place) {}
  void enqueue(const Pass& pass) override { enqueue_(pass); }
  std::string kernel() const override { return kernel_; }
  bool in_place() const override { return in_place_; }

 private:
  std::string kernel_;
  Enqueue enqueue_;
  bool in_place_;
};

}  // namespace

const IntegerOp& StepContext::form() const {
  GPUEVAL_CHECK(self().integer.has_value(), "'{}' has an integer type but no integer form", self().name);
  return *self().integer;
}

std::unique_ptr<Step> make_simple_step(std::string kernel, Enqueue enqueue, bool in_place) {
  return std::make_unique<SimpleStep>(std::move(kernel), std::move(enqueue), in_place);
}

KeptBuffer keep_on_device(const StepContext& context, std::span<const float> values) {
  return std::make_shared<const DeviceBuffer>(upload(context.runtime, values, context.stream));
}

DeviceView flattened(const DeviceView& view) {
  const Shape& s = view.shape;
  DeviceView flat = view;
  flat.shape = {s.n, 1, 1, s.h * s.w * s.c};
  flat.pitch = s.h * s.w == 1 ? view.pitch : flat.shape.c;
  return flat;
}

std::unique_ptr<Step> make_step(const StepContext& context) {
  return with_form<std::unique_ptr<Step>>(
      context.graph, context.self(), [&](const auto& op) { return make_float_step(op, context); },
      [&](const auto& op) { return make_int8_step(op, context); });
}

}  // namespace gpueval::cuda
