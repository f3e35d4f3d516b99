// SPDX-License-Identifier: Apache-2.0
#include "quant/lowering.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "gpueval/error.h"
#include "graph/passes.h"

namespace gpueval {
namespace {

bool is_depthwise(const Node& node) { return std::holds_alternative<DepthwiseConv2D>(node.op); }

// Keras keeps output channels innermost ((kh, kw, c, 1): channel c): element i belongs to channel i % channels.
std::size_t channels_of(const Node& node) { return static_cast<std::size_t>(node.shape.c); }

bool is_product(const Node& node) {
  const auto* binary = std::get_if<Binary>(&node.op);
  return binary != nullptr && binary->kind == BinaryKind::kMultiply;
}

bool is_average(const Node& node) {
  return std::holds_alternative<GlobalAvgPool>(node.op) || std::holds_alternative<AvgPool>(node.op);
}

bool is_function(const Node& node) { return std::holds_alternative<Activate>(node.op); }

// Reads and writes them; so do convolutions and dense layers, but write them for functions alone.
bool knows_zero_points(const Node& node) { return is_function(node) || is_product(node) || is_average(node); }

bool writes_zero_point(const Graph& graph, int index, const std::vector<int>& readers) {
  const Node& node = graph.node(index);
  if (!conv_desc(graph, index)) return knows_zero_points(node);
  return *fused_activation(node.op) == Activation::kNone &&
         std::all_of(readers.begin(), readers.end(), [&](int reader) { return is_function(graph.node(reader)); });
}

float scale_of(float max_abs) { return max_abs > 0 ? max_abs / 127.0f : 1.0f; }

}  // namespace

std::size_t source_channel(const Node& node, std::size_t k, std::size_t d, std::size_t channels) {
  if (is_depthwise(node)) return k;
  const auto* conv = std::get_if<Conv2D>(&node.op);
  const std::size_t groups = conv != nullptr ? static_cast<std::size_t>(conv->groups) : 1;
  const std::size_t each = channels / groups;
  return k / (channels_of(node) / groups) * each + d % each;
}

std::vector<std::int8_t> quantize_weights(const Node& node, std::span<const float> scale) {
  const std::vector<float>& kernel = *node.params[0].array.data;
  const std::size_t channels = channels_of(node), depth = kernel.size() / channels;
  std::vector<std::int8_t> result(kernel.size());
  for (std::size_t d = 0; d < depth; ++d) {
    for (std::size_t k = 0; k < channels; ++k) {
      const float s = scale.size() == 1 ? scale[0] : scale[k];
      const float q = std::nearbyintf(std::clamp(kernel[d * channels + k] / s, -127.0f, 127.0f));
      result[is_depthwise(node) ? d * channels + k : k * depth + d] = static_cast<std::int8_t>(q);
    }
  }
  return result;
}

float weight_scale_per_tensor(const Node& node) {
  float largest = 0;
  for (const float w : *node.params[0].array.data) largest = std::max(largest, std::abs(w));
  return scale_of(largest);
}

std::vector<float> weight_scale_per_channel(const Node& node) {
  const std::vector<float>& kernel = *node.params[0].array.data;
  std::vector<float> scale(channels_of(node), 0.0f);
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    float& largest = scale[i % scale.size()];
    largest = std::max(largest, std::abs(kernel[i]));
  }
  std::transform(scale.begin(), scale.end(), scale.begin(), scale_of);
  return scale;
}

std::vector<float> bias_or_zeros(const Node& node) {
  const Param* bias = node.find(Role::kBias);
  return bias != nullptr ? *bias->array.data : std::vector<float>(channels_of(node), 0.0f);
}

Clamp clamp_of(DType dtype, Activation act, float scale) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Clamp clamp{-kInfinity, kInfinity};
  if (dtype == DType::kS8) clamp = {-127.0f, 127.0f};
  if (dtype == DType::kU8) clamp = {0.0f, 255.0f};
  if (act != Activation::kNone) clamp.lo = 0.0f;
  if (act == Activation::kRelu6) clamp.hi = std::min(clamp.hi, 6.0f / scale);
  return clamp;
}

Node with_scaled_inputs(const Node& node, std::span<const float> scale) {
  std::vector<float> kernel(*node.params[0].array.data);
  const std::size_t out = channels_of(node);
  for (std::size_t i = 0; i < kernel.size(); ++i)
    kernel[i] *= scale[source_channel(node, i % out, i / out, scale.size())];
  Node scaled = node;
  scaled.params[0].array.data = std::make_shared<const std::vector<float>>(std::move(kernel));
  return scaled;
}

bool takes_channel_scales(const Graph& graph, const std::vector<std::vector<int>>& consumers, int node) {
  const auto index = static_cast<std::size_t>(node);
  // A residual is added with one scale for all channels.
  if (graph.is_output(node) || !conv_desc(graph, node) || graph.nodes[index].inputs.size() > 1) return false;
  return std::all_of(consumers[index].begin(), consumers[index].end(), [&](int reader) {
    const Node& to = graph.node(reader);
    return conv_desc(graph, reader) && to.inputs[0] == node &&
           std::count(to.inputs.begin(), to.inputs.end(), node) == 1;
  });
}

std::vector<bool> zero_point_takers(const Graph& graph) {
  const std::vector<bool> positive = non_negative(graph);
  const auto consumers = graph.consumers();
  std::vector<bool> takers(graph.nodes.size(), false);
  for (std::size_t i = 1; i < takers.size(); ++i) {
    const int node = static_cast<int>(i);
    const std::vector<int>& readers = consumers[i];
    takers[i] = !positive[i] && !graph.is_output(node) && !readers.empty() && writes_zero_point(graph, node, readers) &&
                std::all_of(readers.begin(), readers.end(), [&](int reader) {
                  return conv_desc(graph, reader) || knows_zero_points(graph.node(reader));
                });
  }
  return takers;
}

std::vector<double> zero_point_shares(const Graph& graph, int node, const IntegerOp& op) {
  const Node& own = graph.node(node);
  const std::vector<std::int8_t>& weights = *op.weights;
  const std::size_t channels = channels_of(own), depth = weights.size() / channels;
  const double zero_point = graph.node(own.inputs[0]).type.zero_point;
  const double residual =
      own.inputs.size() > 1 ? double{op.residual_scale} * graph.node(own.inputs[1]).type.zero_point : 0;
  std::vector<double> shares(channels, residual);
  for (std::size_t k = 0; zero_point != 0 && k < channels; ++k) {
    int sum = 0;
    for (std::size_t d = 0; d < depth; ++d) sum += weights[is_depthwise(own) ? d * channels + k : k * depth + d];
    shares[k] += op.m[k] * zero_point * sum;
  }
  return shares;
}

void check_accumulator(const Graph& graph, int node) {
  const ConvDesc desc = *conv_desc(graph, node);
  if (desc.depth() * 127 * 255 >= (std::int64_t{1} << 31)) {
    fail("{}: layer '{}' sums {} products, more than an int32 accumulator holds (66,311)", graph.name,
         graph.node(node).name, desc.depth());
  }
}

}  // namespace gpueval
