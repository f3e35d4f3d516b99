// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/channel_scales.h"

#include <algorithm>

#include "graph/passes.h"
#include "quant/lowering.h"
#include "quant/recipe/equalisation.h"

namespace gpueval {
namespace {

constexpr double kSummedExponent = 0.25;  // between one scale a tensor (0) and full equalisation (1)
constexpr float kLeastClip = 1e-3f;       // dead tensors
constexpr float kRelu6Scale = 6.0f / 255.0f;

bool is_depthwise(const Node& node) { return std::holds_alternative<DepthwiseConv2D>(node.op); }

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

std::vector<double> channel_importance(const Graph& lowered_float, const std::vector<std::vector<int>>& consumers,
                                       int node) {
  std::vector<double> importance(static_cast<std::size_t>(lowered_float.node(node).shape.c), 0.0);
  for (const int index : consumers[static_cast<std::size_t>(node)]) {
    const Node& reader = lowered_float.node(index);
    const std::vector<float>& kernel = *reader.params[0].array.data;
    const auto outputs = static_cast<std::size_t>(reader.shape.c);
    std::vector<double> behind(outputs, 1.0);
    if (is_depthwise(reader) && takes_channel_scales(lowered_float, consumers, index))
      behind = channel_importance(lowered_float, consumers, index);
    for (std::size_t i = 0; i < kernel.size(); ++i) {
      const std::size_t k = i % outputs, c = source_channel(reader, k, i / outputs, importance.size());
      importance[c] += behind[k] * kernel[i] * kernel[i];
    }
  }
  return importance;
}

std::vector<float> channel_scales(const Clips& clips, std::span<const double> importance, bool depthwise_readers_only,
                                  bool relu6) {
  const Equalisation chosen =
      choose_equalisation(clips.folds, importance, depthwise_readers_only ? 1.0 : kSummedExponent);
  const BestSteps best = best_steps(sum_of(clips.folds, clips.folds.size()));
  std::vector<float> scales;
  for (std::size_t c = 0; c < importance.size(); ++c) {
    const bool own = chosen != Equalisation{};
    const float clip = own ? clips.largest * clip_ratio(step_of(best, c, chosen)) : clips.tensor;
    const float scale = std::max(clip, kLeastClip) / 255.0f;
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
    const bool depthwise_only = std::all_of(consumers[i].begin(), consumers[i].end(),
                                            [&](int reader) { return is_depthwise(lowered_float.node(reader)); });
    const bool relu6 = *fused_activation(node.op) == Activation::kRelu6;
    const std::vector<double> importance = channel_importance(lowered_float, consumers, static_cast<int>(i));
    result[node.name] = channel_scales(clips.at(node.name), importance, depthwise_only, relu6);
  }
  return result;
}

}  // namespace gpueval
