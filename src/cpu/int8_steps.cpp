// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "cpu/conv_steps.h"
#include "cpu/int8/int8_conv.h"
#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

// A dense layer reads h * w * c in a row: one pixel of that many channels.
std::int64_t source_pitch(const Tensors& tensors, int src, const ConvDesc& desc, const Node& node) {
  return std::holds_alternative<Dense>(node.op) ? desc.c : tensors.pitch(src);
}

class StaticConv : public Step {
 public:
  explicit StaticConv(const StepContext& context)
      : node_(context.self()), index_(context.node), desc_(*conv_desc(context.graph, context.node, context.batch)) {
    const IntegerOp& op = *node_.integer;
    Int8ConvParams params{.desc = desc_,
                          .src = context.input(0).type.dtype,
                          .src_zero_point = context.input(0).type.zero_point,
                          .dst = node_.type.dtype,
                          .weights = *op.weights,
                          .m = op.m,
                          .b = op.b,
                          .lo = op.lo,
                          .hi = op.hi};
    if (node_.inputs.size() > 1) {
      params.residual = context.input(1).type.dtype;
      params.residual_scale = op.residual_scale;
    }
    conv_ = make_int8_conv(params, context.forced_kernel);
  }
  void run(const Tensors& tensors, int n) override {
    Int8ConvArgs args{.n = n,
                      .src = tensors.data(node_.inputs[0]),
                      .src_pitch = source_pitch(tensors, node_.inputs[0], desc_, node_),
                      .dst = tensors.data(index_),
                      .dst_pitch = tensors.pitch(index_)};
    if (node_.inputs.size() > 1) {
      args.residual = tensors.data(node_.inputs[1]);
      args.residual_pitch = tensors.pitch(node_.inputs[1]);
    }
    conv_->run(args);
  }
  std::string kernel() const override { return conv_->kernel(); }
  bool runs_in_lanes() const override { return true; }

 private:
  const Node& node_;
  int index_;
  ConvDesc desc_;
  std::unique_ptr<Int8Conv> conv_;
};

// The `reference` scheme: per image, s_x = max|x| / 127, q = rint(x / s_x), y = acc * (s_x * s_w) + bias.
class DynamicConv : public Step {
 public:
  explicit DynamicConv(const StepContext& context)
      : node_(context.self()),
        index_(context.node),
        desc_(*conv_desc(context.graph, context.node)),
        source_(static_cast<std::size_t>(std::int64_t{desc_.h} * desc_.w * desc_.c)) {
    const IntegerOp& op = *node_.integer;
    conv_ = make_int8_conv({.desc = desc_,
                            .src = DType::kS8,
                            .dst = DType::kF32,
                            .weights = *op.weights,
                            .m = op.m,
                            .b = op.b,
                            .lo = op.lo,
                            .hi = op.hi},
                           context.forced_kernel);
  }
  void run(const Tensors& tensors, int n) override {
    const int src = node_.inputs[0];
    const Shape image{1, desc_.h, desc_.w, desc_.c};
    const std::int64_t src_pitch = source_pitch(tensors, src, desc_, node_), dst_pitch = tensors.pitch(index_);
    const auto* from = reinterpret_cast<const float*>(tensors.data(src));
    auto* to = reinterpret_cast<float*>(tensors.data(index_));
    for (int i = 0; i < n; ++i) {
      const float* x = from + i * image.pixels() * src_pitch;
      const float largest = max_abs(x, image, src_pitch);
      const float scale = largest > 0 ? largest / 127.0f : 1.0f;
      quantize(x, src_pitch, scale, {.data = source_.data(), .dtype = DType::kS8, .shape = image, .pitch = desc_.c});
      conv_->run({.n = 1,
                  .src = source_.data(),
                  .src_pitch = desc_.c,
                  .dst = to + i * std::int64_t{desc_.p()} * desc_.q() * dst_pitch,
                  .dst_pitch = dst_pitch,
                  .residual = nullptr,
                  .residual_pitch = 0,
                  .scale = scale * node_.integer->weight_scale});
    }
  }
  std::string kernel() const override { return conv_->kernel() + " (dynamic)"; }

 private:
  const Node& node_;
  int index_;
  ConvDesc desc_;
  AlignedBuffer source_;
  std::unique_ptr<Int8Conv> conv_;
};

}  // namespace

std::unique_ptr<Step> make_int8_conv_step(const StepContext& context) { return std::make_unique<StaticConv>(context); }
std::unique_ptr<Step> make_dynamic_conv_step(const StepContext& context) {
  return std::make_unique<DynamicConv>(context);
}

}  // namespace gpueval::cpu
