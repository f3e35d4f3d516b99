// SPDX-License-Identifier: Apache-2.0
// Convolutions and dense layers. A dense layer sees its source as one pixel of h * w * c channels.
#include "reference/op_reference.h"
#include "reference/taps.h"

namespace gpueval::reference {
namespace {

FloatTensor float_conv(const FloatCall& call, Activation act) {
  const Node& node = call.node();
  const ConvDesc desc = *conv_desc(call.graph, call.index);
  const std::vector<float>& kernel = *node.params[0].array.data;
  const Param* bias = node.find(Role::kBias);
  const FloatTensor* residual = call.inputs.size() > 1 ? call.inputs[1] : nullptr;
  FloatTensor src = call.source(), dst{node.shape, {}};
  src.shape = {1, desc.h, desc.w, desc.c};
  for (int p = 0; p < desc.p(); ++p) {
    for (int q = 0; q < desc.q(); ++q) {
      for (int k = 0; k < desc.k; ++k) {
        double sum = bias != nullptr ? (*bias->array.data)[static_cast<std::size_t>(k)] : 0;
        for_each_tap(desc.window, src.shape, p, q, [&](int h, int w, int tap) {
          if (desc.depthwise) {
            sum += double{src.at(h, w, k)} * kernel[static_cast<std::size_t>(tap * desc.c + k)];
            return;
          }
          const int channels = desc.group_channels(), first = k / (desc.k / desc.groups) * channels;
          for (int c = 0; c < channels; ++c) {
            sum += double{src.at(h, w, first + c)} *
                   kernel[static_cast<std::size_t>((std::int64_t{tap} * channels + c) * desc.k + k)];
          }
        });
        if (residual != nullptr) sum += residual->values[dst.values.size()];
        dst.values.push_back(activate(sum, act));
      }
    }
  }
  return dst;
}

AnyTensor int8_conv(const Int8Call& call) {
  const Node& node = call.node();
  const IntegerOp& op = call.form();
  ConvParams params{.desc = *conv_desc(call.graph, call.index),
                    .weights = *op.weights,
                    .m = op.m,
                    .b = op.b,
                    .lo = op.lo,
                    .hi = op.hi};
  if (node.inputs.size() > 1) {
    params.residual = &call.source(1);
    params.residual_scale = op.residual_scale;
  }
  QuantTensor src = call.source();
  src.shape = {1, params.desc.h, params.desc.w, params.desc.c};
  if (call.dtype() == DType::kF32) return FloatTensor{node.shape, conv_f32(src, params)};
  return conv(src, params, call.dtype());
}

}  // namespace

FloatTensor float_reference(const Conv2D& op, const FloatCall& call) { return float_conv(call, op.act); }
FloatTensor float_reference(const DepthwiseConv2D& op, const FloatCall& call) { return float_conv(call, op.act); }
FloatTensor float_reference(const Dense& op, const FloatCall& call) { return float_conv(call, op.act); }

AnyTensor int8_reference(const Conv2D&, const Int8Call& call) { return int8_conv(call); }
AnyTensor int8_reference(const DepthwiseConv2D&, const Int8Call& call) { return int8_conv(call); }
AnyTensor int8_reference(const Dense&, const Int8Call& call) { return int8_conv(call); }

}  // namespace gpueval::reference
