// SPDX-License-Identifier: Apache-2.0
// Convolutions whose tensors are all float32, or all float16: cuDNN and cuBLAS where they are there, else our kernels.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "cuda/engine/conv_steps.h"
#include "cuda/engine/float_conv.h"
#include "cuda/library/baselines.h"
#include "gpueval/error.h"
#include "graph/passes.h"

namespace gpueval::cuda {
namespace {

class FloatConvStep : public Step {
 public:
  explicit FloatConvStep(const StepContext& context) : node_(context.self()), self_(context.node) {
    const Param* bias = node_.find(Role::kBias);
    FloatConvParams params{
        .desc = *conv_desc(context.graph, context.node, context.batch),
        .type = node_.type.dtype,
        .math = context.math,
        .act = *fused_activation(node_.op),
        .residual = node_.inputs.size() > 1,
        .weights = *node_.params[0].array.data,
        .bias = bias != nullptr ? std::span<const float>(*bias->array.data) : std::span<const float>(),
        .times = &context.selector.times()};
    params.own = !context.selector.failed(params.own_name());
    for (const int tensor : node_.inputs) check_dense(context, tensor);
    check_dense(context, self_);
    conv_ = make_library_float_conv(context.runtime, params, context.stream, nullptr);
    if (!conv_ && context.math == FloatMath::kTf32 && !has_libraries()) {
      fail("precision tf32 needs cuDNN or cuBLAS: {}", library_description());
    }
    if (!conv_) conv_ = make_own_float_conv(context.runtime, params, context.stream);
  }

  void enqueue(const Pass& pass) override {
    const DeviceView src = pass.view(node_.inputs[0]), dst = pass.view(self_);
    const DeviceView residual = node_.inputs.size() > 1 ? pass.view(node_.inputs[1]) : DeviceView{};
    const bool dense = std::holds_alternative<Dense>(node_.op);
    conv_->run(dense ? flattened(src) : src, residual, dst, pass.stream);
  }
  std::string kernel() const override { return conv_->name(); }
  bool launches_own_kernels() const override { return false; }  // but the libraries'

 private:
  static bool has_libraries() {
    const std::vector<LibraryInfo> infos = library_infos();
    return std::any_of(infos.begin(), infos.end(), [](const LibraryInfo& info) { return !info.version.empty(); });
  }
  static void check_dense(const StepContext& context, int tensor) {
    const Node& node = context.graph.node(tensor);
    GPUEVAL_CHECK(context.placement(tensor).pitch == node.shape.c, "'{}' is float with a pitch of {} for {} channels",
                  node.name, context.placement(tensor).pitch, node.shape.c);
  }

  const Node& node_;
  int self_;
  std::unique_ptr<FloatConv> conv_;
};

}  // namespace

std::unique_ptr<Step> make_float_conv_step(const StepContext& context) {
  return std::make_unique<FloatConvStep>(context);
}

}  // namespace gpueval::cuda
