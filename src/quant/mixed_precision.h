// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "gpueval/graph.h"

namespace gpueval {

// Mixed precision: takes a static int8 graph with all types assigned (node 1 quantizes the input) and leaves the named
// convolutions and dense layers in float32, and with them every operation that has no int8 form (ops.inc), or as the
// output none that gives float32, and what prepares the pixels. Between them and the integer layers stand
// "<tensor>/quantize", which has the type that the tensor has in the all-int8 graph (so integer layers do not change),
// and "<tensor>/dequantize". Two float32 neighbours exchange float32, and a pool, concat, add or ReLU of which all
// inputs are float32 is float32 too: with every layer named the result is the float32 graph. In front of outputs, moves
// and functions of single elements are float32, and the integer layers that only they read give them their sums as
// float32: no output goes through 8 bits. A separable layer's Keras
// name means both of its halves. Throws Error for a name that is no such layer.
Graph keep_in_float(Graph typed, std::span<const std::string> layers);

// The affine, without activation, that alone reads the quantized input (node 1) of a graph as keep_in_float takes it;
// -1: there is none. It sees the pixels before they are quantized, so that what it makes of them is rounded once.
int pixel_affine(const Graph& typed);

// True for a node that computes in float32 in a graph of keep_in_float: it is left as it is.
bool runs_in_float(const Graph& graph, const Node& node);

}  // namespace gpueval
