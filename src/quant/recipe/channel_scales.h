// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gpueval/graph.h"
#include "quant/recipe/clip_search.h"

namespace gpueval {

// Nodes of a float32 graph whose u8 tensors may have one scale per channel.
std::vector<bool> scalable_nodes(const Graph& lowered_float, DType activations);

// One u8 scale per channel from the clips. Read by depthwise layers only: clip_c / 255, each channel fills the codes.
// Read by layers that sum over channels: clip / 255 * (clip_c / clip)^0.25, because there a fine scale costs weight
// precision. At most 6 / 255 behind ReLU6, so that saturation at 255 is its cut; channels that are (almost) dead get
// no scale below a hundredth of the tensor's.
std::vector<float> channel_scales(const Clips& clips, bool depthwise_readers_only, bool relu6);

// Every scalable node's, by name.
std::map<std::string, std::vector<float>> all_channel_scales(const Graph& lowered_float,
                                                             const std::vector<bool>& scalable,
                                                             const std::map<std::string, Clips>& clips);

}  // namespace gpueval
