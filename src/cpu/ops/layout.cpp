// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <vector>

#include "cpu/float_ops.h"
#include "cpu/int8/int8_ops.h"
#include "cpu/step.h"

namespace gpueval::cpu {
namespace {

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
  const int self = context.node;
  const float lo = form != nullptr ? form->lo : 0.0f, hi = form != nullptr ? form->hi : 0.0f;
  return simple_step(parts.empty() ? "in place" : "copy", [=](const Tensors& tensors, int n) {
    for (const Part& part : parts) {
      TensorView src = tensors.view(part.src, n), dst = tensors.view(self, n);
      dst.data = tensors.data(self) + part.offset * static_cast<std::int64_t>(size_of(dst.dtype));
      dst.shape.c = src.shape.c;
      if (form == nullptr || (part.m == 1.0f && src.dtype == dst.dtype)) {
        copy_tensor(src, dst);
      } else {
        requantize(tensors.quant_view(part.src, n), part.m, lo, hi,
                   {.data = const_cast<void*>(dst.data), .dtype = dst.dtype, .shape = dst.shape, .pitch = dst.pitch});
      }
    }
  });
}

std::unique_ptr<Step> zero_pad_step(const Padding& pad, const StepContext& context) {
  const int src = context.self().inputs[0], self = context.node;
  return simple_step("copy", [=](const Tensors& tensors, int n) {
    const TensorView dst = tensors.view(self, n);
    const std::size_t pixel = static_cast<std::size_t>(dst.shape.c) * size_of(dst.dtype);
    for (std::int64_t i = 0; i < dst.shape.pixels(); ++i) {
      std::memset(tensors.data(self) + i * dst.pitch * static_cast<std::int64_t>(size_of(dst.dtype)), 0, pixel);
    }
    copy_tensor(tensors.view(src, n), dst, pad.top, pad.left);
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

}  // namespace gpueval::cpu
