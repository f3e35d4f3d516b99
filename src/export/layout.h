// SPDX-License-Identifier: Apache-2.0
// Weights in ONNX's order: Conv (K, C / group, R, S), Gemm with transB (K, inputs in (c, h, w) order).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpueval/conv_desc.h"
#include "gpueval/tensor.h"

namespace gpueval::onnx_export {

// [K][R][S][C] -> [K][C][R][S]; depthwise [R][S][C] -> [C][1][R][S]. IntegerOp's weights.
template <typename T>
std::vector<T> conv_from_krsc(std::span<const T> weights, const ConvDesc& desc) {
  const auto taps = static_cast<std::size_t>(desc.window.kernel_h) * static_cast<std::size_t>(desc.window.kernel_w);
  const auto c = static_cast<std::size_t>(desc.group_channels()), k = static_cast<std::size_t>(desc.k);
  std::vector<T> result(weights.size());
  std::size_t to = 0;
  if (desc.depthwise) {
    for (std::size_t channel = 0; channel < c; ++channel)
      for (std::size_t tap = 0; tap < taps; ++tap) result[to++] = weights[tap * c + channel];
    return result;
  }
  for (std::size_t filter = 0; filter < k; ++filter)
    for (std::size_t channel = 0; channel < c; ++channel)
      for (std::size_t tap = 0; tap < taps; ++tap) result[to++] = weights[(filter * taps + tap) * c + channel];
  return result;
}

// Keras's (kh, kw, in, out) -> [K][C][R][S]; depthwise (kh, kw, c, 1) -> [C][1][R][S]. dst has the kernel's size.
void conv_from_keras(std::span<const float> kernel, const ConvDesc& desc, std::span<float> dst);

// [K][h * w * c] -> [K][c * h * w], src: the shape that is flattened.
template <typename T>
std::vector<T> dense_from_khwc(std::span<const T> weights, const Shape& src) {
  const auto pixels = static_cast<std::size_t>(src.h) * static_cast<std::size_t>(src.w);
  const auto c = static_cast<std::size_t>(src.c), units = weights.size() / (pixels * c);
  std::vector<T> result(weights.size());
  std::size_t to = 0;
  for (std::size_t unit = 0; unit < units; ++unit)
    for (std::size_t channel = 0; channel < c; ++channel)
      for (std::size_t pixel = 0; pixel < pixels; ++pixel)
        result[to++] = weights[(unit * pixels + pixel) * c + channel];
  return result;
}

// Keras's (h * w * c, out) -> [K][c * h * w].
void dense_from_keras(std::span<const float> kernel, const Shape& src, std::span<float> dst);

}  // namespace gpueval::onnx_export
