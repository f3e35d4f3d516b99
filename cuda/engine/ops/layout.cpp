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

// Copies what was not written in place, requantizing where the scale or type differs. form: of an integer concat.
std::unique_ptr<Step> concat_step(const StepContext& context, const IntegerOp* form) {
  const Node& node = context.self();
  struct Part {
    int src, offset;
    float m;
  };
  std::vector<Part> parts;
  int offset = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Node& src = context.input(i);
    const bool in_place = src.slice_of == context.node;
    if (!in_place) parts.push_back({node.inputs[i], offset, form != nullptr ? form->input_factors[i] : 1.0f});
    offset += src.shape.c;
  }
  if (parts.empty()) return std::make_unique<InPlaceStep>();
  return make_simple_step("copy", [=, &ops = ops_of(context.runtime), self = context.node](const Pass& pass) {
    for (const Part& part : parts) {
      const DeviceView src = pass.view(part.src);
      DeviceView dst = pass.view(self);
      dst.data = static_cast<std::byte*>(dst.data) + static_cast<std::size_t>(part.offset) * size_of(dst.dtype);
      dst.shape.c = src.shape.c;
      if (form == nullptr || (part.m == 1.0f && src.dtype == dst.dtype)) {
        ops.copy(src, dst, 0, 0, pass.stream);
      } else {
        ops.requantize(src, part.m, form->lo, form->hi, dst, pass.stream);
      }
    }
  });
}

std::unique_ptr<Step> zero_pad_step(const Padding& pad, const StepContext& context) {
  return make_simple_step("copy", [&ops = ops_of(context.runtime), pad, src = context.self().inputs[0],
                                   self = context.node](const Pass& pass) {
    const DeviceView dst = pass.view(self);
    ops.zero(dst, pass.stream);
    ops.copy(pass.view(src), dst, pad.top, pad.left, pass.stream);
  });
}

}  // namespace

std::unique_ptr<Step> make_float_step(const Concat&, const StepContext& context) {
  return concat_step(context, nullptr);
}
std::unique_ptr<Step> make_int8_step(const Concat&, const StepContext& context) {
  return concat_step(context, &context.form());
}

std::unique_ptr<Step> make_float_step(const ZeroPad& op, const StepContext& context) {
  return zero_pad_step(op.pad, context);
}
std::unique_ptr<Step> make_int8_step(const ZeroPad& op, const StepContext& context) {
  return zero_pad_step(op.pad, context);
}

}  // namespace gpueval::cuda
