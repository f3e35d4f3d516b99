// SPDX-License-Identifier: Apache-2.0
// What the float convolution kernels share: arguments of a call, and the end of one output: + bias, + residual, bounds.
#pragma once

#include "cuda/ops/float_view.h"

namespace gpueval::GPUEVAL_TARGET {

struct FloatConvCall {
  const ConvDesc& desc;
  const cuda::DeviceView& src;
  const void* weights;
  const float* bias;
  const cuda::DeviceView& residual;
  Activation act;
  const cuda::DeviceView& dst;
  cuda::Stream stream;
};
void conv_float_tiled(const FloatConvCall& call);
void conv_float_dense(const FloatConvCall& call);
void conv_float_depthwise(const FloatConvCall& call);

template <typename T>
struct FloatEpilogue {
  FloatView<T> residual, dst;  // residual.data: null without one
  const float* bias;           // null without one
  Bounds bounds;
};

template <typename T>
FloatEpilogue<T> float_epilogue(const FloatConvCall& call) {
  return {float_view<T>(call.residual), float_view<T>(call.dst), call.bias, bounds_of(call.act)};
}

// kWidth neighbouring channels of a pixel: act(acc + bias + residual).
template <int kWidth, typename T>
GPUEVAL_DEVICE void finish_floats(const FloatEpilogue<T>& e, std::int64_t pixel, int channel, Floats<kWidth> acc) {
  if (e.bias != nullptr) {
    GPUEVAL_UNROLL
    for (int i = 0; i < kWidth; ++i) acc.v[i] += e.bias[channel + i];
  }
  if (e.residual.data != nullptr) {
    const Floats<kWidth> r = load_floats<kWidth>(e.residual.at(pixel, channel));
    GPUEVAL_UNROLL
    for (int i = 0; i < kWidth; ++i) acc.v[i] += r.v[i];
  }
  e.bounds.apply(acc);
  store_floats(e.dst.at(pixel, channel), acc);
}

}  // namespace gpueval::GPUEVAL_TARGET
