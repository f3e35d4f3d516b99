// SPDX-License-Identifier: Apache-2.0
#include "gpueval/graph.h"

#include <array>

#include "gpueval/error.h"

namespace gpueval {

std::string op_name(const Op& op) {
  static constexpr std::array kNames = {
      "Input",  "Conv2D",  "DepthwiseConv2D", "SeparableConv2D", "Dense",   "BatchNorm", "ReLU",     "Add",
      "Concat", "MaxPool", "AvgPool",         "GlobalAvgPool",   "ZeroPad", "Flatten",   "Quantize", "Dequantize"};
  static_assert(kNames.size() == std::variant_size_v<Op>);
  return kNames[op.index()];
}

std::string to_string(Role role) {
  switch (role) {
    case Role::kKernel:
      return "kernel";
    case Role::kDepthwiseKernel:
      return "depthwise_kernel";
    case Role::kPointwiseKernel:
      return "pointwise_kernel";
    case Role::kBias:
      return "bias";
    case Role::kGamma:
      return "gamma";
    case Role::kBeta:
      return "beta";
    case Role::kMean:
      return "moving_mean";
    case Role::kVariance:
      return "moving_variance";
  }
  return "?";
}

const Param* Node::find(Role role) const {
  for (const Param& param : params) {
    if (param.role == role) return &param;
  }
  return nullptr;
}

int Graph::find(std::string_view node_name) const {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].name == node_name) return static_cast<int>(i);
  }
  return -1;
}

std::vector<std::vector<int>> Graph::consumers() const {
  std::vector<std::vector<int>> result(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const int input : nodes[i].inputs) result[static_cast<std::size_t>(input)].push_back(static_cast<int>(i));
  }
  return result;
}

std::int64_t Graph::parameter_count() const {
  std::int64_t count = 0;
  for (const Node& node : nodes) {
    for (const Param& param : node.params) count += param.array.elements();
  }
  return count;
}

std::int64_t Graph::multiply_adds() const {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (const auto desc = conv_desc(*this, static_cast<int>(i))) {
      count += desc->multiply_adds();
    } else if (const auto* separable = std::get_if<SeparableConv2D>(&nodes[i].op)) {
      const Shape& out = nodes[i].shape;
      const Shape& in = node(nodes[i].inputs[0]).shape;
      const std::int64_t taps = std::int64_t{separable->window.kernel_h} * separable->window.kernel_w;
      count += out.pixels() * in.c * (taps + out.c);
    }
  }
  return count;
}

std::optional<ConvDesc> conv_desc(const Graph& graph, int node_index, int n) {
  const Node& node = graph.node(node_index);
  if (node.inputs.empty()) return std::nullopt;
  const Shape& src = graph.node(node.inputs[0]).shape;
  ConvDesc desc{.n = n, .h = src.h, .w = src.w, .c = src.c, .k = node.shape.c, .window = {}, .depthwise = false};
  if (const auto* conv = std::get_if<Conv2D>(&node.op)) {
    desc.window = conv->window;
  } else if (const auto* depthwise = std::get_if<DepthwiseConv2D>(&node.op)) {
    desc.window = depthwise->window;
    desc.depthwise = true;
  } else if (std::holds_alternative<Dense>(node.op)) {
    desc.c = src.h * src.w * src.c;
    desc.h = desc.w = 1;
  } else {
    return std::nullopt;
  }
  return desc;
}

}  // namespace gpueval
