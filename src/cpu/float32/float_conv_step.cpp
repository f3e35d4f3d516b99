// SPDX-License-Identifier: Apache-2.0
#include "cpu/conv_steps.h"
#include "cpu/float32/float_conv.h"

#include <span>
#include <type_traits>

#include "cpu/float32/dense.h"
#include "cpu/float32/float_plan.h"
#include "cpu/float32/winograd_conv.h"
#include "cpu/int8/isa.h"
#include "gpueval/error.h"
#include "graph/passes.h"

namespace gpueval::cpu {
namespace {

constexpr const char *kConv = "conv_f32_avx512", *kWinograd = "winograd_f32_avx512", *kDense = "dense_f32_avx512",
                     *kOnednn = "oneDNN";

template <typename Conv>
class FloatConvStep : public Step {
 public:
  FloatConvStep(const StepContext& context, const ConvDesc& desc, const char* kernel)
      : node_(context.node), src_(context.self().inputs[0]), kernel_(kernel), conv_(make_conv(context.self(), desc)) {
    if (context.self().inputs.size() > 1) residual_ = context.self().inputs[1];
  }
  void run(const Tensors& tensors, int n) override {
    conv_.run({.n = n,
               .src = tensors.data(src_),
               .dst = tensors.data(node_),
               .residual = residual_ >= 0 ? tensors.data(residual_) : nullptr});
  }
  std::string kernel() const override { return kernel_; }
  bool runs_in_lanes() const override { return true; }

 private:
  static Conv make_conv(const Node& node, const ConvDesc& desc) {
    const Param* bias = node.find(Role::kBias);
    const auto biases = bias != nullptr ? std::span<const float>(*bias->array.data) : std::span<const float>();
    const auto& weights = node.params[0].array.data;
    if constexpr (std::is_same_v<Conv, PlainDense>) {
      return {desc, weights, biases, *fused_activation(node.op)};
    } else {
      return {desc, *weights, biases, *fused_activation(node.op)};
    }
  }

  int node_, src_, residual_ = -1;
  const char* kernel_;
  Conv conv_;
};

}  // namespace

std::unique_ptr<Step> make_own_float_conv(const StepContext& context) {
  const ConvDesc desc = *conv_desc(context.graph, context.node, context.batch);
  const std::string& forced = context.forced_kernel;
  if (!own_float_conv_usable()) {
    if (forced == kConv || forced == kWinograd || forced == kDense)
      fail_usage("float32 kernel '{}' needs AVX-512, which this CPU lacks or GPUEVAL_CPU_ISA forbids", forced);
    return nullptr;
  }
  if (forced == kOnednn || desc.depthwise || desc.groups > 1 || desc.window.dilated()) return nullptr;
  if ((forced == kWinograd && winograd_fits(desc)) || (forced != kConv && prefer_winograd(desc))) {
    return std::make_unique<FloatConvStep<WinogradConv>>(context, desc, kWinograd);
  }
  const bool residual = context.self().inputs.size() > 1;
  if ((forced == kDense && plain_dense_fits(desc) && !residual) ||
      (forced != kConv && prefer_plain_dense(desc, residual))) {
    return std::make_unique<FloatConvStep<PlainDense>>(context, desc, kDense);
  }
  if (forced != kConv && !prefer_own_float_conv(desc, residual)) return nullptr;
  return std::make_unique<FloatConvStep<FloatConv>>(context, desc, kConv);
}

std::vector<KernelInfo> float_kernels() {
  std::vector<KernelInfo> rows;
  for (const char* name : {kConv, kWinograd, kDense}) {
    rows.push_back({.name = name,
                    .device = "cpu",
                    .op = "conv",
                    .types = "f32",
                    .isa = to_string(Isa::kAvx512Vnni),
                    .usable = own_float_conv_usable()});
  }
  rows.push_back(
      {.name = kOnednn, .device = "cpu", .op = "all", .types = "f32", .isa = "chosen by oneDNN", .usable = true});
  return rows;
}

}  // namespace gpueval::cpu
