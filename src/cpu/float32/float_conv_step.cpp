// SPDX-License-Identifier: Apache-2.0
#include "cpu/float32/float_conv.h"
#include "cpu/float32/float_plan.h"
#include "cpu/float32/winograd_conv.h"
#include "cpu/step.h"
#include "graph/passes.h"

namespace gpueval::cpu {
namespace {

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
    return {desc, *node.params[0].array.data,
            bias != nullptr ? std::span<const float>(*bias->array.data) : std::span<const float>(),
            *fused_activation(node.op)};
  }

  int node_, src_, residual_ = -1;
  const char* kernel_;
  Conv conv_;
};

}  // namespace

std::unique_ptr<Step> make_own_float_conv(const StepContext& context) {
  const ConvDesc desc = *conv_desc(context.graph, context.node, context.batch);
  if (!own_float_conv_usable()) return nullptr;
  if (prefer_winograd(desc)) {
    return std::make_unique<FloatConvStep<WinogradConv>>(context, desc, "winograd_f32_avx512");
  }
  if (!prefer_own_float_conv(desc, context.self().inputs.size() > 1)) return nullptr;
  return std::make_unique<FloatConvStep<FloatConv>>(context, desc, "conv_f32_avx512");
}

}  // namespace gpueval::cpu
