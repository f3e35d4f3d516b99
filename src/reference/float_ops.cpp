// SPDX-License-Identifier: Apache-2.0
#include "reference/float_ops.h"

#include <algorithm>

#include "reference/op_reference.h"

namespace gpueval::reference {
float activate(double x, Activation act) {
  if (act != Activation::kNone) x = std::max(x, 0.0);
  if (act == Activation::kRelu6) x = std::min(x, 6.0);
  return static_cast<float>(x);
}

FloatTensor dequantize(const QuantTensor& src, std::span<const float> scale) {
  FloatTensor dst{src.shape, {}};
  for (std::int64_t i = 0; i < src.shape.elements(); ++i) {
    const auto channel = static_cast<std::size_t>(i % src.shape.c);
    dst.values.push_back(scale[scale.size() > 1 ? channel : 0] * static_cast<float>(src.at(i)));
  }
  return dst;
}

QuantTensor quantize_channels(const FloatTensor& src, std::span<const float> scale, DType dst) {
  QuantTensor out(dst, src.shape);
  for (std::size_t i = 0; i < src.values.size(); ++i) {
    const float s = scale[scale.size() > 1 ? i % static_cast<std::size_t>(src.shape.c) : 0];
    out.set(static_cast<std::int64_t>(i), round_clamped(src.values[i] / s, lowest(dst), highest(dst)));
  }
  return out;
}

FloatTensor float_node(const Graph& graph, int index, std::span<const FloatTensor* const> inputs) {
  const Node& node = graph.node(index);
  return with_form<FloatTensor>(
      graph, node,
      [&](const auto& op) {
        return float_reference(op, FloatCall{graph, index, inputs});
      },
      [&](const auto&) -> FloatTensor { fail("'{}' has integer tensors", node.name); });
}

}  // namespace gpueval::reference
