// SPDX-License-Identifier: Apache-2.0
// Steps with an integer source or result, but for convolutions.
#include <memory>
#include <utility>

#include "cuda/engine/step.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

// Device memory that an Enqueue (copyable, as std::function asks) keeps alive.
template <typename T>
std::shared_ptr<const DeviceBuffer> keep(const StepContext& context, const std::vector<T>& values) {
  return std::make_shared<const DeviceBuffer>(upload(context.runtime, std::span<const T>(values), context.stream));
}
const float* floats(const std::shared_ptr<const DeviceBuffer>& buffer) {
  return static_cast<const float*>(buffer->data());
}

std::unique_ptr<Step> make_pool(const StepContext& context) {
  const Node& node = context.self();
  const IntegerOp& op = *node.integer;
  const Ops& ops = ops_of(context.runtime);
  const int src = node.inputs[0], self = context.node;
  if (const auto* pool = std::get_if<MaxPool>(&node.op)) {
    return make_simple_step("max_pool_s8", [=, &ops, window = pool->window, m = op.m[0]](const Pass& pass) {
      ops.max_pool(pass.view(src), window, m, pass.view(self), pass.stream);
    });
  }
  if (const auto* pool = std::get_if<AvgPool>(&node.op)) {
    return make_simple_step("avg_pool_s8", [=, &ops, window = pool->window, m = keep(context, op.m)](const Pass& pass) {
      ops.avg_pool(pass.view(src), window, floats(m), pass.view(self), pass.stream);
    });
  }
  return make_simple_step("global_avg_pool_s8", [=, &ops, m = op.m[0]](const Pass& pass) {
    ops.global_avg_pool(pass.view(src), m, pass.view(self), pass.stream);
  });
}

std::unique_ptr<Step> make_conversion(const StepContext& context) {
  const Node& node = context.self();
  const Ops& ops = ops_of(context.runtime);
  const int src = node.inputs[0], self = context.node;
  const bool to_float = std::holds_alternative<Dequantize>(node.op);
  const std::vector<float>& scale = to_float ? context.input(0).type.scale : node.type.scale;
  const bool per_channel = scale.size() > 1;
  return make_simple_step(to_float ? "dequantize" : "quantize",
                          [=, &ops, scales = keep(context, scale)](const Pass& pass) {
                            const auto convert = to_float ? ops.dequantize : ops.quantize;
                            convert(pass.view(src), floats(scales), per_channel, pass.view(self), pass.stream);
                          });
}

}  // namespace

std::unique_ptr<Step> make_integer_step(const StepContext& context) {
  const Node& node = context.self();
  if (std::holds_alternative<Dequantize>(node.op) || std::holds_alternative<Quantize>(node.op)) {
    return make_conversion(context);
  }
  GPUEVAL_CHECK(node.integer.has_value(), "'{}' has an integer type but no integer form", node.name);
  if (conv_desc(context.graph, context.node)) return make_int8_conv(context);
  const IntegerOp& op = *node.integer;
  const Ops& ops = ops_of(context.runtime);
  const int src = node.inputs[0], self = context.node;
  if (std::holds_alternative<MaxPool>(node.op) || std::holds_alternative<AvgPool>(node.op) ||
      std::holds_alternative<GlobalAvgPool>(node.op)) {
    return make_pool(context);
  }
  if (std::holds_alternative<Add>(node.op)) {
    return make_simple_step("add_s8", [=, &ops, &op, other = node.inputs[1]](const Pass& pass) {
      ops.add(pass.view(src), op.m[0], pass.view(other), op.m[1], op.lo, op.hi, pass.view(self), pass.stream);
    });
  }
  if (std::holds_alternative<Relu>(node.op)) {
    return make_simple_step("requantize_s8", [=, &ops, &op](const Pass& pass) {
      ops.requantize(pass.view(src), op.m[0], op.lo, op.hi, pass.view(self), pass.stream);
    });
  }
  fail("{}: the CUDA backend has no int8 kernel for layer '{}' ({})", context.graph.name, node.name, op_name(node.op));
}

}  // namespace gpueval::cuda
