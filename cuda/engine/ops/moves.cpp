// SPDX-License-Identifier: Apache-2.0
// Operations that copy elements: the same steps in float32, float16 and int8.
#include <memory>

#include "cuda/engine/step.h"

namespace gpueval::cuda {
namespace {

template <typename T>
std::unique_ptr<Step> pixel_step(const T& op, const StepContext& context) {
  const auto sources = keep_values_on_device(context, pixel_sources(op, context.input(0).shape, context.self().shape));
  return make_simple_step("move_pixels", [=, &ops = ops_of(context.runtime), src = context.self().inputs[0],
                                          self = context.node](const Pass& pass) {
    ops.move_pixels(pass.view(src), static_cast<const PixelSource*>(sources->data()), pass.view(self), pass.stream);
  });
}

template <typename T>
std::unique_ptr<Step> element_step(const T& op, const StepContext& context) {
  return make_simple_step("move_elements", [=, &ops = ops_of(context.runtime), src = context.self().inputs[0],
                                            self = context.node](const Pass& pass) {
    const DeviceView from = pass.view(src);
    ops.move_elements(from, element_steps(op, from.shape, from.pitch), pass.view(self), pass.stream);
  });
}

std::unique_ptr<Step> reshape_step(const StepContext& context) {
  return make_simple_step("reshape",
                          [&ops = ops_of(context.runtime), src = context.self().inputs[0], self = context.node](
                              const Pass& pass) { ops.reshape(pass.view(src), pass.view(self), pass.stream); });
}

}  // namespace

std::unique_ptr<Step> make_float_step(const ResizeLinear& op, const StepContext& context) {
  const Shape &from = context.input(0).shape, &to = context.self().shape;
  const auto rows = keep_values_on_device(context, linear_sources(op.grid, from.h, to.h)),
             columns = keep_values_on_device(context, linear_sources(op.grid, from.w, to.w));
  return make_simple_step("resize_linear", [=, &ops = ops_of(context.runtime), src = context.self().inputs[0],
                                            self = context.node](const Pass& pass) {
    ops.resize_linear(pass.view(src), static_cast<const Between*>(rows->data()),
                      static_cast<const Between*>(columns->data()), pass.view(self), pass.stream);
  });
}

std::unique_ptr<Step> make_float_step(const Slice& op, const StepContext& context) { return element_step(op, context); }
std::unique_ptr<Step> make_int8_step(const Slice& op, const StepContext& context) { return element_step(op, context); }

std::unique_ptr<Step> make_float_step(const Permute& op, const StepContext& context) {
  return element_step(op, context);
}
std::unique_ptr<Step> make_int8_step(const Permute& op, const StepContext& context) {
  return element_step(op, context);
}

std::unique_ptr<Step> make_float_step(const Reshape&, const StepContext& context) { return reshape_step(context); }
std::unique_ptr<Step> make_int8_step(const Reshape&, const StepContext& context) { return reshape_step(context); }

std::unique_ptr<Step> make_float_step(const DepthToSpace& op, const StepContext& context) {
  return pixel_step(op, context);
}
std::unique_ptr<Step> make_int8_step(const DepthToSpace& op, const StepContext& context) {
  return pixel_step(op, context);
}

std::unique_ptr<Step> make_float_step(const SpaceToBatch& op, const StepContext& context) {
  return pixel_step(op, context);
}
std::unique_ptr<Step> make_int8_step(const SpaceToBatch& op, const StepContext& context) {
  return pixel_step(op, context);
}

std::unique_ptr<Step> make_float_step(const BatchToSpace& op, const StepContext& context) {
  return pixel_step(op, context);
}
std::unique_ptr<Step> make_int8_step(const BatchToSpace& op, const StepContext& context) {
  return pixel_step(op, context);
}

std::unique_ptr<Step> make_float_step(const ResizeNearest& op, const StepContext& context) {
  return pixel_step(op, context);
}
std::unique_ptr<Step> make_int8_step(const ResizeNearest& op, const StepContext& context) {
  return pixel_step(op, context);
}

}  // namespace gpueval::cuda
