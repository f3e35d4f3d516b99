// SPDX-License-Identifier: Apache-2.0
// Graph passes: pure functions, each in its own file, each keeping the function that the graph computes.
#pragma once

#include <functional>

#include "gpueval/graph.h"

namespace gpueval {

// SeparableConv2D -> "<layer>/depthwise" (no bias) and "<layer>/pointwise".
Graph expand_separable(Graph graph);

// ZeroPad -> padding of the convolutions, and of max pools of non-negative tensors, that read it. Flatten -> nothing
// (a dense layer reads h * w * c in order).
Graph fold_padding(Graph graph);

// ReLU or Activate of a tensor -> the first of the same function of it.
Graph merge_activations(Graph graph);

// BatchNorm or ReLU behind the BatchToSpace or DepthToSpace of a convolution -> in front of it, where the convolution
// can take it.
Graph hoist_over_moves(Graph graph);

// BatchNorm, or Affine, behind a convolution -> the convolution's kernel and bias: g = gamma / sqrt(variance + eps),
// kernel * g, beta + (bias - mean) * g, computed in double.
Graph fold_batch_norm(Graph graph);

// The gamma of a Normalize without beta that convolutions alone read -> their kernels.
Graph fold_gamma(Graph graph);

// Every other BatchNorm -> Affine of gamma' = gamma / sqrt(variance + eps), beta' = beta - mean * gamma', computed in
// double.
Graph batch_norm_to_affine(Graph graph);

// ReLU behind a convolution, dense layer, batch norm or add that nothing else reads -> its act.
Graph fuse_activation(Graph graph);

// Add of which one operand is a convolution that nothing else reads -> that convolution's residual input.
Graph fuse_residual_add(Graph graph);

// Lets what feeds a concat of channels write straight into its channels (Node::slice_of), where type and scale are the
// same and it is no output nor the map that a dense layer reads.
Graph place_concat(Graph graph);

// The three nodes of each dilated convolution (dilation.h) of a lowered graph, if `wanted` of the middle one -> one, of
// a window with dilation, in the last one's place and of its name: for engines with such kernels, and for ONNX. Same
// integers.
Graph join_dilations(Graph graph, const std::function<bool(const Node& conv)>& wanted);

// Conv2D with groups -> a convolution of a slice of the channels for each, side by side, of a float32 or a lowered
// graph: for engines without such kernels. Same bits.
Graph expand_groups(Graph graph);

// True for a tensor that cannot be negative: behind ReLU or ReLU6, and pools, concats and sums of such.
std::vector<bool> non_negative(const Graph& graph);

// Replaces every use of node i by replacement[i] (-1: keeps it), drops the replaced and the unused nodes, and sorts
// topologically (stable). The tool of the other passes.
Graph rewire(Graph graph, const std::vector<int>& replacement);

// The window of a convolution, depthwise or not, or nullptr for another op.
Window* conv_window(Op& op);

// The fused activation of a node, or nullptr for an op without one.
Activation* fused_activation(Op& op);
const Activation* fused_activation(const Op& op);

}  // namespace gpueval
