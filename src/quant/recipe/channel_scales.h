// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "gpueval/graph.h"
#include "quant/recipe/clip_search.h"

namespace gpueval {

// Nodes of a float32 graph whose u8 tensors may have one scale per channel.
std::vector<bool> scalable_nodes(const Graph& lowered_float, DType activations);

// What a squared error of each channel of a scalable node weighs behind its readers: the sum of the squares of the
// weights that it meets there, through depthwise layers up to the layer that sums over channels.
std::vector<double> channel_importance(const Graph& lowered_float, const std::vector<std::vector<int>>& consumers,
                                       int node);

// One u8 scale per channel, as far from one for all as images that did not choose it bear out (equalisation.h). Read by
// depthwise layers only, a channel may fill the codes; read by layers that sum over channels, its clip counts with the
// exponent 0.25 at most, because there a fine scale costs weight precision. At most 6 / 255 behind ReLU6, so that
// saturation at 255 is its cut.
std::vector<float> channel_scales(const Clips& clips, std::span<const double> importance, bool depthwise_readers_only,
                                  bool relu6);

// Every scalable node's, by name.
std::map<std::string, std::vector<float>> all_channel_scales(const Graph& lowered_float,
                                                             const std::vector<bool>& scalable,
                                                             const std::map<std::string, Clips>& clips);

}  // namespace gpueval
