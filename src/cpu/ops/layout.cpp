// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "cpu/int8/int8_ops.h"
#include "cpu/moves.h"
#include "cpu/step.h"

namespace gpueval::cpu {
namespace {

struct Part {  // of a concat
  int src;
  int top, left, channel;  // where it begins
  float m;
};

// In as few blocks of rows that lie one behind the other in dst as there are.
void requantize_part(const TensorView& src, const Part& part, float lo, float hi, const TensorView& dst) {
  const bool whole_rows = src.shape.w == dst.shape.w, whole_images = whole_rows && src.shape.h == dst.shape.h;
  const Shape block{whole_images ? src.shape.n : 1, whole_rows ? src.shape.h : 1, src.shape.w, src.shape.c};
  const auto pixel = [](const TensorView& view, std::int64_t index) {
    return static_cast<std::byte*>(const_cast<void*>(view.data)) + index * view.pitch;
  };
  for (int y = 0; y < src.shape.n * src.shape.h; y += block.n * block.h) {
    const std::int64_t to = (std::int64_t{y / src.shape.h} * dst.shape.h + y % src.shape.h + part.top) * dst.shape.w;
    requantize({pixel(src, std::int64_t{y} * src.shape.w), src.dtype, block, src.pitch}, part.m, lo, hi,
               {pixel(dst, to + part.left), dst.dtype, block, dst.pitch});
  }
}

// Copies what was not written in place, requantizing where the scale or type differs. form: of an integer concat.
std::unique_ptr<Step> concat_step(Axis axis, const StepContext& context, const IntegerOp* form) {
  const Node& node = context.self();
  std::vector<Part> parts;
  int top = 0, left = 0, channel = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Node& src = context.input(i);
    const float m = form != nullptr ? form->input_factors[i] : 1.0f;
    if (src.slice_of != context.node) parts.push_back({node.inputs[i], top, left, channel, m});
    top += axis == Axis::kH ? src.shape.h : 0;
    left += axis == Axis::kW ? src.shape.w : 0;
    channel += axis == Axis::kC ? src.shape.c : 0;
  }
  const int self = context.node;
  const float lo = form != nullptr ? form->lo : 0.0f, hi = form != nullptr ? form->hi : 0.0f;
  return simple_step(parts.empty() ? "in place" : "copy", [=](const Tensors& tensors, int n) {
    for (const Part& part : parts) {
      TensorView src = tensors.view(part.src, n), dst = tensors.view(self, n);
      dst.data = tensors.data(self) + part.channel * static_cast<std::int64_t>(size_of(dst.dtype));
      dst.shape.c = src.shape.c;
      if (form == nullptr || (part.m == 1.0f && src.dtype == dst.dtype)) {
        copy_tensor(src, dst, part.top, part.left);
      } else {
        requantize_part(src, part, lo, hi, dst);
      }
    }
  });
}

std::unique_ptr<Step> zero_pad_step(const Padding& pad, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step("copy", [=](const Tensors& tensors, int n) {
    zero_pad(tensors.view(src, n), tensors.view(self, n), pad.top, pad.left);
  });
}

}  // namespace

std::unique_ptr<Step> make_float_step(const Concat& op, const StepContext& context) {
  return concat_step(op.axis, context, nullptr);
}
std::unique_ptr<Step> make_int8_step(const Concat& op, const StepContext& context) {
  return concat_step(op.axis, context, &context.form());
}

std::unique_ptr<Step> make_float_step(const ZeroPad& op, const StepContext& context) {
  return zero_pad_step(op.pad, context);
}
std::unique_ptr<Step> make_int8_step(const ZeroPad& op, const StepContext& context) {
  return zero_pad_step(op.pad, context);
}

}  // namespace gpueval::cpu
