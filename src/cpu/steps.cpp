// SPDX-License-Identifier: Apache-2.0
// Which step runs a node: float32 tensors go to oneDNN and float_ops, integer tensors to int8/.
#include <cmath>
#include <cstring>
#include <functional>
#include <utility>

#include "cpu/convert.h"
#include "cpu/float_ops.h"
#include "cpu/int8/int8_conv.h"
#include "cpu/int8/int8_ops.h"
#include "cpu/int8/isa.h"
#include "cpu/step.h"
#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

// A step that needs no preparation but its node.
class SimpleStep : public Step {
 public:
  using Run = std::function<void(const Tensors&, int n)>;
  SimpleStep(std::string kernel, Run run) : kernel_(std::move(kernel)), run_(std::move(run)) {}
  void run(const Tensors& tensors, int n) override { run_(tensors, n); }
  std::string kernel() const override { return kernel_; }
  bool runs_in_lanes() const override { return true; }

 private:
  std::string kernel_;
  Run run_;
};

std::unique_ptr<Step> simple(std::string kernel, SimpleStep::Run run) {
  return std::make_unique<SimpleStep>(std::move(kernel), std::move(run));
}

std::string int8_name(const char* op) { return fmt::format("{}_{}", op, to_string(vector_isa(best_isa_level()))); }

bool is_float(const StepContext& context) { return context.self().type.dtype == DType::kF32; }

// Copies what was not written in place, requantizing where the scale or type differs.
std::unique_ptr<Step> concat_step(const StepContext& context) {
  const Node& node = context.self();
  struct Part {
    int src, offset;
    float m;
    bool in_place;
  };
  std::vector<Part> parts;
  int offset = 0, copied = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Node& src = context.input(i);
    const bool in_place = src.slice_of == context.node;
    copied += in_place ? 0 : 1;
    parts.push_back({node.inputs[i], offset, node.integer ? node.integer->m[i] : 1.0f, in_place});
    offset += src.shape.c;
  }
  const int self = context.node;
  const bool integer = !is_float(context);
  const float lo = integer ? node.integer->lo : 0.0f, hi = integer ? node.integer->hi : 0.0f;
  return simple(copied == 0 ? "in place" : "copy", [=](const Tensors& tensors, int n) {
    for (const Part& part : parts) {
      if (part.in_place) continue;
      TensorView src = tensors.view(part.src, n), dst = tensors.view(self, n);
      dst.data = tensors.data(self) + part.offset * static_cast<std::int64_t>(size_of(dst.dtype));
      dst.shape.c = src.shape.c;
      if (!integer || (part.m == 1.0f && src.dtype == dst.dtype)) {
        copy_tensor(src, dst);
      } else {
        requantize(tensors.quant_view(part.src, n), part.m, lo, hi,
                   {.data = const_cast<void*>(dst.data), .dtype = dst.dtype, .shape = dst.shape, .pitch = dst.pitch});
      }
    }
  });
}

std::unique_ptr<Step> zero_pad_step(const StepContext& context) {
  const Node& node = context.self();
  const Padding pad = std::get<ZeroPad>(node.op).pad;
  const int src = node.inputs[0], self = context.node;
  return simple("copy", [=](const Tensors& tensors, int n) {
    const TensorView dst = tensors.view(self, n);
    const std::size_t pixel = static_cast<std::size_t>(dst.shape.c) * size_of(dst.dtype);
    for (std::int64_t i = 0; i < dst.shape.pixels(); ++i) {
      std::memset(tensors.data(self) + i * dst.pitch * static_cast<std::int64_t>(size_of(dst.dtype)), 0, pixel);
    }
    copy_tensor(tensors.view(src, n), dst, pad.top, pad.left);
  });
}

std::unique_ptr<Step> batch_norm_step(const StepContext& context) {
  const Node& node = context.self();
  const auto& op = std::get<BatchNorm>(node.op);
  const Param* gamma = node.find(Role::kGamma);
  const std::vector<float>& variance = *node.find(Role::kVariance)->array.data;
  std::vector<float> gain(variance.size());
  for (std::size_t c = 0; c < gain.size(); ++c) {
    gain[c] = (gamma != nullptr ? (*gamma->array.data)[c] : 1.0f) / std::sqrt(variance[c] + op.eps);
  }
  const int src = node.inputs[0], self = context.node;
  return simple("batch_norm_f32", [=, gain = std::move(gain), mean = node.find(Role::kMean)->array.data,
                                   beta = node.find(Role::kBeta)->array.data](const Tensors& tensors, int n) {
    batch_norm_f32(tensors.view(src, n), gain, *mean, *beta, op.act, tensors.view(self, n));
  });
}

std::unique_ptr<Step> float_step(const StepContext& context) {
  const Node& node = context.self();
  const int src = node.inputs[0], self = context.node;
  if (conv_desc(context.graph, self)) {
    if (node.integer && node.integer->dynamic) return make_dynamic_conv_step(context);
    auto own = make_own_float_conv(context);
    return own != nullptr ? std::move(own) : make_onednn_conv(context);
  }
  if (std::holds_alternative<BatchNorm>(node.op)) return batch_norm_step(context);
  if (const auto* relu = std::get_if<Relu>(&node.op)) {
    return simple("relu_f32", [=, act = relu->act](const Tensors& tensors, int n) {
      relu_f32(tensors.view(src, n), act, tensors.view(self, n));
    });
  }
  if (const auto* sum = std::get_if<Add>(&node.op)) {
    return simple("add_f32", [=, act = sum->act, other = node.inputs[1]](const Tensors& tensors, int n) {
      add_f32(tensors.view(src, n), tensors.view(other, n), act, tensors.view(self, n));
    });
  }
  return make_onednn_pool(context);
}

std::unique_ptr<Step> integer_step(const StepContext& context) {
  const Node& node = context.self();
  const int src = node.inputs[0], self = context.node;
  if (std::holds_alternative<Dequantize>(node.op)) {
    return simple("dequantize", [=, scale = context.input(0).type.scale](const Tensors& tensors, int n) {
      dequantize(tensors.quant_view(src, n), scale, tensors.view(self, n));
    });
  }
  GPUEVAL_CHECK(node.integer.has_value(), "'{}' has an integer type but no integer form", node.name);
  const IntegerOp& op = *node.integer;
  if (conv_desc(context.graph, self)) return make_int8_conv_step(context);
  if (const auto* pool = std::get_if<MaxPool>(&node.op)) {
    return simple(int8_name("max_pool"), [=, window = pool->window, m = op.m[0]](const Tensors& tensors, int n) {
      max_pool(tensors.quant_view(src, n), window, m, tensors.quant_view(self, n));
    });
  }
  if (const auto* pool = std::get_if<AvgPool>(&node.op)) {
    return simple(int8_name("avg_pool"), [=, window = pool->window, m = op.m](const Tensors& tensors, int n) {
      avg_pool(tensors.quant_view(src, n), window, m, tensors.quant_view(self, n));
    });
  }
  if (std::holds_alternative<GlobalAvgPool>(node.op)) {
    return simple(int8_name("global_avg_pool"), [=, m = op.m[0]](const Tensors& tensors, int n) {
      const QuantView dst = tensors.quant_view(self, n);
      if (dst.dtype == DType::kF32) {
        global_avg_pool_f32(tensors.quant_view(src, n), m, static_cast<float*>(dst.data));
      } else {
        global_avg_pool(tensors.quant_view(src, n), m, dst);
      }
    });
  }
  if (std::holds_alternative<Quantize>(node.op) && node.type.scale.size() > 1) {
    return simple("quantize_channels", [=, scale = node.type.scale](const Tensors& tensors, int n) {
      quantize_channels(tensors.view(src, n), scale, tensors.quant_view(self, n));
    });
  }
  if (std::holds_alternative<Quantize>(node.op)) {
    return simple(int8_name("quantize"), [=, scale = node.type.scale[0]](const Tensors& tensors, int n) {
      const TensorView from = tensors.view(src, n);
      quantize(static_cast<const float*>(from.data), from.pitch, scale, tensors.quant_view(self, n));
    });
  }
  if (std::holds_alternative<Add>(node.op)) {
    return simple(int8_name("add"), [=, other = node.inputs[1], &op](const Tensors& tensors, int n) {
      add(tensors.quant_view(src, n), op.m[0], tensors.quant_view(other, n), op.m[1], op.lo, op.hi,
          tensors.quant_view(self, n));
    });
  }
  if (std::holds_alternative<Relu>(node.op)) {
    return simple(int8_name("requantize"), [=, &op](const Tensors& tensors, int n) {
      requantize(tensors.quant_view(src, n), op.m[0], op.lo, op.hi, tensors.quant_view(self, n));
    });
  }
  fail("{}: the CPU backend has no int8 kernel for layer '{}' ({})", context.graph.name, node.name, op_name(node.op));
}

}  // namespace

std::unique_ptr<Step> make_step(const StepContext& context) {
  const Node& node = context.self();
  if (std::holds_alternative<Concat>(node.op)) return concat_step(context);
  if (std::holds_alternative<ZeroPad>(node.op)) return zero_pad_step(context);
  const bool integer = !is_float(context) || context.input(0).type.dtype != DType::kF32;  // logits leave as float32
  return integer ? integer_step(context) : float_step(context);
}

}  // namespace gpueval::cpu
