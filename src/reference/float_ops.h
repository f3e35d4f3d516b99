// SPDX-License-Identifier: Apache-2.0
// The float32 tensors of a mixed-precision network, to and from integers, and its float32 nodes (op_reference.h).
#pragma once

#include <span>
#include <vector>

#include "gpueval/graph.h"
#include "reference/reference.h"

namespace gpueval::reference {

struct FloatTensor {  // dense NHWC
  Shape shape;
  std::vector<float> values;
  float at(int h, int w, int c) const {
    return values[static_cast<std::size_t>((std::int64_t{h} * shape.w + w) * shape.c + c)];
  }
};

FloatTensor dequantize(const QuantTensor& src, std::span<const float> scale);  // one, or one per channel
QuantTensor quantize_channels(const FloatTensor& src, std::span<const float> scale, DType dst);
// A node whose inputs and output are float32.
FloatTensor float_node(const Graph& graph, int index, std::span<const FloatTensor* const> inputs);

}  // namespace gpueval::reference
