// SPDX-License-Identifier: Apache-2.0
// Operations that copy elements: the same steps in float32 and int8.
#include "cpu/moves.h"

#include "cpu/float_ops.h"
#include "cpu/step.h"

namespace gpueval::cpu {
namespace {

template <typename T>
std::unique_ptr<Step> pixel_step(const T& op, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step("copy", [src, self, sources = pixel_sources(op, context.input(0).shape, context.self().shape)](
                                 const Tensors& tensors, int n) {
    move_pixels(tensors.view(src, n), sources, tensors.view(self, n));
  });
}

template <typename T>
std::unique_ptr<Step> element_step(const T& op, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step("copy", [=](const Tensors& tensors, int n) {
    const TensorView from = tensors.view(src, n);
    move_elements(from, element_steps(op, from.shape, from.pitch), tensors.view(self, n));
  });
}

std::unique_ptr<Step> reshape_step(const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step("copy",
                     [=](const Tensors& tensors, int n) { reshape(tensors.view(src, n), tensors.view(self, n)); });
}

// Mixed along the row, then between rows, each rounded: the device's too.
void resize_linear(const TensorView& src, std::span<const Between> rows, std::span<const Between> columns,
                   const TensorView& dst) {
  const Shape& shape = dst.shape;
  for_each_pixel(shape.pixels(), [&](std::int64_t pixel) {
    const std::int64_t row_of_all = pixel / shape.w;
    const Between& h = rows[static_cast<std::size_t>(row_of_all % shape.h)];
    const Between& w = columns[static_cast<std::size_t>(pixel % shape.w)];
    const std::int64_t image = row_of_all / shape.h * src.shape.h;
    const std::int64_t above = (image + h.lower) * src.shape.w, below = (image + h.upper) * src.shape.w;
    const float *a = row(src, above + w.lower), *b = row(src, above + w.upper);
    const float *c = row(src, below + w.lower), *d = row(src, below + w.upper);
    float* out = row_out(dst, pixel);
    for (int k = 0; k < shape.c; ++k) {
      const float upper = a[k] + (b[k] - a[k]) * w.fraction, lower = c[k] + (d[k] - c[k]) * w.fraction;
      out[k] = upper + (lower - upper) * h.fraction;
    }
  });
}

}  // namespace

std::unique_ptr<Step> make_float_step(const ResizeLinear& op, const StepContext& context) {
  const Shape &from = context.input(0).shape, &to = context.self().shape;
  return simple_step("resize_linear_f32",
                     [rows = linear_sources(op.grid, from.h, to.h), columns = linear_sources(op.grid, from.w, to.w),
                      src = context.self().inputs[0], self = context.node](const Tensors& tensors, int n) {
                       resize_linear(tensors.view(src, n), rows, columns, tensors.view(self, n));
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

}  // namespace gpueval::cpu
