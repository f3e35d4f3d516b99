// SPDX-License-Identifier: Apache-2.0
// Steps whose tensors are all float32, or all float16: cuDNN and cuBLAS where they are there, else our own kernels.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "cuda/engine/float_conv.h"
#include "cuda/engine/step.h"
#include "cuda/library/baselines.h"
#include "gpueval/error.h"

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
        .act = activation(node_.op),
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

 private:
  static bool has_libraries() {
    const std::vector<LibraryInfo> infos = library_infos();
    return std::any_of(infos.begin(), infos.end(), [](const LibraryInfo& info) { return !info.version.empty(); });
  }
  static Activation activation(const Op& op) {
    if (const auto* conv = std::get_if<Conv2D>(&op)) return conv->act;
    if (const auto* depthwise = std::get_if<DepthwiseConv2D>(&op)) return depthwise->act;
    return std::get<Dense>(op).act;
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

std::unique_ptr<Step> make_batch_norm(const StepContext& context) {
  const Node& node = context.self();
  const auto& op = std::get<BatchNorm>(node.op);
  const Param* gamma = node.find(Role::kGamma);
  const std::vector<float>& variance = *node.find(Role::kVariance)->array.data;
  const std::size_t channels = variance.size();
  std::vector<float> table(3 * channels);  // gain, mean, beta
  for (std::size_t c = 0; c < channels; ++c) {
    table[c] = (gamma != nullptr ? (*gamma->array.data)[c] : 1.0f) / std::sqrt(variance[c] + op.eps);
    table[channels + c] = (*node.find(Role::kMean)->array.data)[c];
    table[2 * channels + c] = (*node.find(Role::kBeta)->array.data)[c];
  }
  auto device =
      std::make_shared<const DeviceBuffer>(upload(context.runtime, std::span<const float>(table), context.stream));
  return make_simple_step("batch_norm", [=, &ops = ops_of(context.runtime), act = op.act, src = node.inputs[0],
                                         self = context.node](const Pass& pass) {
    const auto* gain = static_cast<const float*>(device->data());
    ops.batch_norm(pass.view(src), gain, gain + channels, gain + 2 * channels, act, pass.view(self), pass.stream);
  });
}

}  // namespace

std::unique_ptr<Step> make_float_step(const StepContext& context) {
  const Node& node = context.self();
  const Ops& ops = ops_of(context.runtime);
  const int src = node.inputs[0], self = context.node;
  if (conv_desc(context.graph, self)) {
    if (node.integer && node.integer->dynamic) return make_dynamic_conv(context);
    return std::make_unique<FloatConvStep>(context);
  }
  if (std::holds_alternative<BatchNorm>(node.op)) return make_batch_norm(context);
  if (const auto* relu = std::get_if<Relu>(&node.op)) {
    return make_simple_step("relu", [=, &ops, act = relu->act](const Pass& pass) {
      ops.relu_float(pass.view(src), act, pass.view(self), pass.stream);
    });
  }
  if (const auto* sum = std::get_if<Add>(&node.op)) {
    return make_simple_step("add", [=, &ops, act = sum->act, other = node.inputs[1]](const Pass& pass) {
      ops.add_float(pass.view(src), pass.view(other), act, pass.view(self), pass.stream);
    });
  }
  if (const auto* pool = std::get_if<MaxPool>(&node.op)) {
    return make_simple_step("max_pool", [=, &ops, window = pool->window](const Pass& pass) {
      ops.max_pool_float(pass.view(src), window, pass.view(self), pass.stream);
    });
  }
  if (const auto* pool = std::get_if<AvgPool>(&node.op)) {
    return make_simple_step("avg_pool", [=, &ops, window = pool->window](const Pass& pass) {
      ops.avg_pool_float(pass.view(src), window, pass.view(self), pass.stream);
    });
  }
  if (std::holds_alternative<GlobalAvgPool>(node.op)) {
    return make_simple_step("global_avg_pool", [=, &ops](const Pass& pass) {
      ops.global_avg_pool_float(pass.view(src), pass.view(self), pass.stream);
    });
  }
  fail("{}: the CUDA backend has no float kernel for layer '{}' ({})", context.graph.name, node.name, op_name(node.op));
}

}  // namespace gpueval::cuda
