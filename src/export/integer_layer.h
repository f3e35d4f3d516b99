// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "gpueval/conv_desc.h"
#include "gpueval/graph.h"
#include "gpueval/onnx_export.h"

namespace gpueval::onnx_export {

// One scale for a tensor that may have one per channel: the largest. 1 for float32.
double tensor_scale(const Node& node);

// A convolution or dense layer whose integer form is v = acc * m[k] + b[k], between tensors of the scales src and dst:
//   real = sum(src * q_x * weight_scale[k] * weights) + bias[k], weight_scale[k] = m[k] * dst / src.
struct IntegerLayer {
  std::vector<std::int8_t> weights;  // in IntegerOp's order
  std::vector<float> weight_scale;   // per output channel
  std::vector<float> bias;           // real units
  std::vector<std::int32_t> integer_bias;
  std::vector<float> integer_bias_scale;  // src * weight_scale[k]; both empty for OnnxBias::kFloat32
};
// The weights are IntegerOp's, but for a channel whose bias does not fit int32 at its weights' scale (a dead channel of
// weights near 1e-12): with OnnxBias::kInt32 it takes the scale at which the bias is 2^30 and its weights are rounded
// to it, which moves a result by less than depth * 1.2e-7 of the bias.
IntegerLayer integer_layer(const IntegerOp& op, const ConvDesc& desc, double src, double dst, OnnxBias form);

}  // namespace gpueval::onnx_export
