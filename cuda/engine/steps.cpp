// SPDX-License-Identifier: Apache-2.0
// Which step runs a node. The same decisions as src/cpu/steps.cpp.
#include <memory>
#include <utility>
#include <vector>

#include "cuda/engine/step.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

class SimpleStep : public Step {
 public:
  SimpleStep(std::string kernel, Enqueue enqueue) : kernel_(std::move(kernel)), enqueue_(std::move(enqueue)) {}
  void enqueue(const Pass& pass) override { enqueue_(pass); }
  std::string kernel() const override { return kernel_; }

 private:
  std::string kernel_;
  Enqueue enqueue_;
};

class InPlaceStep : public Step {
 public:
  void enqueue(const Pass&) override {}
  std::string kernel() const override { return "in place"; }
  bool in_place() const override { return true; }
};

bool is_integer(DType type) { return type == DType::kS8 || type == DType::kU8; }

// Copies what was not written in place, requantizing where the scale or type differs.
std::unique_ptr<Step> make_concat(const StepContext& context) {
  const Node& node = context.self();
  struct Part {
    int src, offset;
    float m;
  };
  std::vector<Part> parts;
  int offset = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Node& src = context.input(i);
    if (src.slice_of != context.node) parts.push_back({node.inputs[i], offset, node.integer ? node.integer->m[i] : 1});
    offset += src.shape.c;
  }
  if (parts.empty()) return std::make_unique<InPlaceStep>();
  const bool integer = is_integer(node.type.dtype);
  const float lo = integer ? node.integer->lo : 0, hi = integer ? node.integer->hi : 0;
  return make_simple_step("copy", [=, &ops = ops_of(context.runtime), self = context.node](const Pass& pass) {
    for (const Part& part : parts) {
      const DeviceView src = pass.view(part.src);
      DeviceView dst = pass.view(self);
      dst.data = static_cast<std::byte*>(dst.data) + static_cast<std::size_t>(part.offset) * size_of(dst.dtype);
      dst.shape.c = src.shape.c;
      if (!integer || (part.m == 1.0f && src.dtype == dst.dtype)) {
        ops.copy(src, dst, 0, 0, pass.stream);
      } else {
        ops.requantize(src, part.m, lo, hi, dst, pass.stream);
      }
    }
  });
}

std::unique_ptr<Step> make_zero_pad(const StepContext& context) {
  const Padding pad = std::get<ZeroPad>(context.self().op).pad;
  return make_simple_step("copy", [&ops = ops_of(context.runtime), pad, src = context.self().inputs[0],
                                   self = context.node](const Pass& pass) {
    const DeviceView dst = pass.view(self);
    ops.zero(dst, pass.stream);
    ops.copy(pass.view(src), dst, pad.top, pad.left, pass.stream);
  });
}

}  // namespace

std::unique_ptr<Step> make_simple_step(std::string kernel, Enqueue enqueue) {
  return std::make_unique<SimpleStep>(std::move(kernel), std::move(enqueue));
}

DeviceView flattened(const DeviceView& view) {
  const Shape& s = view.shape;
  DeviceView flat = view;
  flat.shape = {s.n, 1, 1, s.h * s.w * s.c};
  flat.pitch = s.h * s.w == 1 ? view.pitch : flat.shape.c;
  return flat;
}

std::unique_ptr<Step> make_step(const StepContext& context) {
  const Node& node = context.self();
  if (std::holds_alternative<Concat>(node.op)) return make_concat(context);
  if (std::holds_alternative<ZeroPad>(node.op)) return make_zero_pad(context);
  const bool integer = is_integer(node.type.dtype) || is_integer(context.input(0).type.dtype);
  return integer ? make_integer_step(context) : make_float_step(context);
}

}  // namespace gpueval::cuda
