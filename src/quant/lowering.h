// SPDX-License-Identifier: Apache-2.0
// Pieces that the schemes share.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "gpueval/graph.h"

namespace gpueval {

// Keras's kernel (kh, kw, in, out), depthwise (kh, kw, c, 1) or dense (in, out) as [K][R][S][C] ([R][S][C] depthwise),
// quantized: q = rint(clamp(w / scale[k], -127, 127)). scale: one for all, or one per output channel.
std::vector<std::int8_t> quantize_weights(const Node& node, std::span<const float> scale);

// max|w| / 127 (1 where max is 0): one number, or one per output channel.
float weight_scale_per_tensor(const Node& node);
std::vector<float> weight_scale_per_channel(const Node& node);

// The node's bias, zeros if it has none.
std::vector<float> bias_or_zeros(const Node& node);

// q's type range cut by the activation, for a tensor of the given scale.
struct Clamp {
  float lo, hi;
};
Clamp clamp_of(DType dtype, Activation act, float scale);

// The channel of the source that weight d (of [R][S][C]) of output channel k is multiplied with, of `channels`.
std::size_t source_channel(const Node& node, std::size_t k, std::size_t d, std::size_t channels);

// The node with weights multiplied by its source's scale of each input channel.
Node with_scaled_inputs(const Node& node, std::span<const float> scale);

// Whether the node's tensor may have one scale per channel: the node and every reader are convolutions or dense layers,
// and none reads it as its residual.
bool takes_channel_scales(const Graph& graph, const std::vector<std::vector<int>>& consumers, int node);

// Which nodes' tensors may have a zero point: functions, products and averages that may be negative, and convolutions
// or dense layers that functions alone read, where all readers know it: convolutions and dense layers, whose biases
// make up for it, functions, which are tables, products and averages.
std::vector<bool> zero_point_takers(const Graph& graph);

// What its sources' zero points add to each output channel of a convolution or dense layer, in steps of its result, for
// b to take off: m times the zero point times the channel's sum of weights, and the residual's.
std::vector<double> zero_point_shares(const Graph& graph, int node, const IntegerOp& op);

// Throws where depth * 127 * 255 could overflow int32.
void check_accumulator(const Graph& graph, int node);

}  // namespace gpueval
