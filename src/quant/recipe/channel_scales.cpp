// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/channel_scales.h"

#include <algorithm>
#include <cmath>

#include "graph/passes.h"
#include "quant/lowering.h"

namespace gpueval {
namespace {

constexpr float kExponent = 0.25f;    // between one scale a tensor (0) and full equalisation (1)
constexpr float kLeastRatio = 0.01f;  // of a channel's clip to its tensor's
constexpr float kLeastClip = 1e-3f;   // absolute: dead channels
constexpr float kRelu6Scale = 6.0f / 255.0f;

}  // namespace

std::vector<bool> scalable_nodes(const Graph& lowered_float, DType activations) {
  std::vector<bool> scalable(lowered_float.nodes.size(), false);
  if (activations != DType::kU8) return scalable;
  const std::vector<bool> positive = non_negative(lowered_float);
  const auto consumers = lowered_float.consumers();
  for (std::size_t i = 0; i < scalable.size(); ++i) {
    scalable[i] = positive[i] && takes_channel_scales(lowered_float, consumers, static_cast<int>(i));
  }
  return scalable;
}

std::vector<float> channel_scales(const Clips& clips, bool depthwise_readers_only, bool relu6) {
  const float exponent = depthwise_readers_only ? 1.0f : kExponent;
  const float whole = std::max(clips.tensor, kLeastClip);
  std::vector<float> scales;
  for (const float clip : clips.channel) {
    const float ratio = std::max(std::max(clip, kLeastClip) / whole, kLeastRatio);
    const float scale = whole / 255.0f * std::pow(ratio, exponent);
    scales.push_back(relu6 ? std::min(scale, kRelu6Scale) : scale);
  }
  return scales;
}

std::map<std::string, std::vector<float>> all_channel_scales(const Graph& lowered_float,
                                                             const std::vector<bool>& scalable,
                                                             const std::map<std::string, Clips>& clips) {
  const auto consumers = lowered_float.consumers();
  std::map<std::string, std::vector<float>> result;
  for (std::size_t i = 0; i < scalable.size(); ++i) {
    if (!scalable[i]) continue;
    const Node& node = lowered_float.nodes[i];
    const bool depthwise_only = std::all_of(consumers[i].begin(), consumers[i].end(), [&](int reader) {
      return std::holds_alternative<DepthwiseConv2D>(lowered_float.node(reader).op);
    });
    const bool relu6 = *fused_activation(node.op) == Activation::kRelu6;
    result[node.name] = channel_scales(clips.at(node.name), depthwise_only, relu6);
  }
  return result;
}

}  // namespace gpueval
