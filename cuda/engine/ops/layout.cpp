// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <vector>

#include "cuda/engine/step.h"

namespace gpueval::cuda {
namespace {

class InPlaceStep : public Step {
 public:
  void enqueue(const Pass&) override {}
  std::string kernel() const override { return "in place"; }
  bool in_place() const override { return true; }
};

struct Part {  // of a concat
  int src;
  int top, left, channel;  // where it begins
  float m;
};

// Rows of all images that lie one behind the other in dst at a time.
void requantize_part(const Ops& ops, const DeviceView& src, const Part& part, float lo, float hi, const DeviceView& dst,
                     Stream stream) {
  const bool whole_rows = src.shape.w == dst.shape.w, whole_images = whole_rows && src.shape.h == dst.shape.h;
  DeviceView from = src, to = dst;
  from.shape = {whole_images ? src.shape.n : 1, whole_rows ? src.shape.h : 1, src.shape.w, src.shape.c};
  to.shape = from.shape;
  for (int y = 0; y < src.shape.n * src.shape.h; y += from.shape.n * from.shape.h) {
    const std::int64_t row = std::int64_t{y / src.shape.h} * dst.shape.h + y % src.shape.h + part.top;
    from.data = static_cast<std::byte*>(src.data) + std::int64_t{y} * src.shape.w * src.pitch;
    to.data = static_cast<std::byte*>(dst.data) + (row * dst.shape.w + part.left) * dst.pitch;
    ops.requantize(from, part.m, lo, hi, to, stream);
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
  if (parts.empty()) return std::make_unique<InPlaceStep>();
  return make_simple_step("copy", [=, &ops = ops_of(context.runtime), self = context.node](const Pass& pass) {
    for (const Part& part : parts) {
      const DeviceView src = pass.view(part.src);
      DeviceView dst = pass.view(self);
      dst.data = static_cast<std::byte*>(dst.data) + static_cast<std::size_t>(part.channel) * size_of(dst.dtype);
      dst.shape.c = src.shape.c;
      if (form == nullptr || (part.m == 1.0f && src.dtype == dst.dtype)) {
        ops.copy(src, dst, part.top, part.left, pass.stream);
      } else {
        requantize_part(ops, src, part, form->lo, form->hi, dst, pass.stream);
      }
    }
  });
}

std::unique_ptr<Step> zero_pad_step(const Padding& pad, const StepContext& context) {
  return make_simple_step("copy", [&ops = ops_of(context.runtime), pad, src = context.self().inputs[0],
                                   self = context.node](const Pass& pass) {
    const DeviceView dst = pass.view(self);
    ops.fill(dst, 0, pass.stream);
    ops.copy(pass.view(src), dst, pad.top, pad.left, pass.stream);
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

}  // namespace gpueval::cuda
