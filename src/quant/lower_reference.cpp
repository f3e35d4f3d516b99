// SPDX-License-Identifier: Apache-2.0
// The scheme of the original research: weights and inputs by max|x| / 127 per tensor, inputs at run time per image,
// batch norm not folded, everything between the integer layers in float32.
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "graph/passes.h"
#include "quant/lowering.h"

namespace gpueval {
namespace {

// A separable layer's depthwise result is not quantized again: its pointwise half has quantized weights only.
bool reads_depthwise_half(const Graph& graph, const Node& node) {
  return graph.node(node.inputs[0]).name.ends_with("/depthwise");
}

void quantize_weights_only(Node& node) {
  const float scale = weight_scale_per_tensor(node);
  const std::vector<float>& kernel = *node.params[0].array.data;
  std::vector<float> rounded(kernel.size());
  for (std::size_t i = 0; i < kernel.size(); ++i) rounded[i] = scale * std::nearbyintf(kernel[i] / scale);
  node.params[0].array.data = std::make_shared<const std::vector<float>>(std::move(rounded));
}

void quantize_dynamic(Node& node) {
  IntegerOp op;
  op.dynamic = true;
  op.weight_scale = weight_scale_per_tensor(node);
  op.weights = std::make_shared<const std::vector<std::int8_t>>(quantize_weights(node, {&op.weight_scale, 1}));
  op.m.assign(static_cast<std::size_t>(node.shape.c), 1.0f);  // replaced by s_x * s_w of each image
  op.b = bias_or_zeros(node);
  op.lo = clamp_of(DType::kF32, *fused_activation(node.op), 1.0f).lo;
  op.hi = std::numeric_limits<float>::infinity();
  node.integer = std::move(op);
}

}  // namespace

Graph lower_reference(const Graph& bound, const QuantOptions& options) {
  Graph graph = fuse_activation(fold_padding(expand_separable(bound)));
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    if (!conv_desc(graph, static_cast<int>(i))) continue;
    if (std::holds_alternative<DepthwiseConv2D>(node.op) && !options.depthwise_int8) continue;
    if (reads_depthwise_half(graph, node)) {
      quantize_weights_only(node);
      continue;
    }
    if (*fused_activation(node.op) == Activation::kRelu6) {
      fail("{}: layer '{}' has ReLU6 without batch norm, which the reference scheme's integer kernels do not cut",
           graph.name, node.name);
    }
    check_accumulator(graph, static_cast<int>(i));
    quantize_dynamic(node);
  }
  return graph;
}

}  // namespace gpueval
