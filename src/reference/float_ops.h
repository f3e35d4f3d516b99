// SPDX-License-Identifier: Apache-2.0
// The float32 operations of a mixed-precision network as plain loops, summed in double. Weights as Keras has them.
#pragma once

#include <span>
#include <vector>

#include "gpueval/graph.h"
#include "reference/reference.h"

namespace gpueval::reference {

struct FloatTensor {  // dense NHWC
  Shape shape;
  std::vector<float> values;
};

FloatTensor dequantize(const QuantTensor& src, std::span<const float> scale);  // one, or one per channel
QuantTensor quantize_channels(const FloatTensor& src, std::span<const float> scale, DType dst);
// Any node but Input and Quantize whose inputs and output are float32; `index` tells conv_desc the shape.
FloatTensor float_node(const Graph& graph, int index, std::span<const FloatTensor* const> inputs);

}  // namespace gpueval::reference
