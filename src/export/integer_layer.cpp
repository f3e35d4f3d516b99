// SPDX-License-Identifier: Apache-2.0
#include "export/integer_layer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gpueval::onnx_export {
namespace {

constexpr double kMostBias = 1 << 30;  // leaves the other half of int32 to the sum of products

// Multiplies channel k's weights by `factor` and rounds them.
void rescale(std::vector<std::int8_t>& weights, const ConvDesc& desc, std::size_t k, double factor) {
  const auto depth = static_cast<std::size_t>(desc.depth()), channels = static_cast<std::size_t>(desc.k);
  for (std::size_t d = 0; d < depth; ++d) {
    std::int8_t& q = weights[desc.depthwise ? d * channels + k : k * depth + d];
    q = static_cast<std::int8_t>(std::nearbyint(q * factor));
  }
}

}  // namespace

double tensor_scale(const Node& node) {
  const std::vector<float>& scale = node.type.scale;
  return scale.empty() ? 1.0 : double{*std::max_element(scale.begin(), scale.end())};
}

IntegerLayer integer_layer(const IntegerOp& op, const ConvDesc& desc, double src, double dst, OnnxBias form) {
  IntegerLayer layer;
  layer.weights = *op.weights;
  for (std::size_t k = 0; k < op.m.size(); ++k) {
    const double exact = op.m[k] * dst, bias = op.b[k] * dst;  // real value of one step of the accumulator
    double step = std::max(exact, std::numeric_limits<float>::min() * std::max(src, 1.0));
    if (form == OnnxBias::kInt32) {
      step = std::max(step, std::abs(bias) / kMostBias);
      layer.integer_bias.push_back(static_cast<std::int32_t>(std::nearbyint(bias / step)));
      layer.integer_bias_scale.push_back(static_cast<float>(step));
    }
    if (step > exact) rescale(layer.weights, desc, k, exact / step);
    layer.weight_scale.push_back(static_cast<float>(step / src));
    layer.bias.push_back(static_cast<float>(bias));
  }
  return layer;
}

}  // namespace gpueval::onnx_export
