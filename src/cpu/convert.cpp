// SPDX-License-Identifier: Apache-2.0
#include "cpu/convert.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/float_ops.h"
#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

std::vector<float> per_channel(std::span<const float> scale, int channels) {
  if (scale.size() == 1) return std::vector<float>(static_cast<std::size_t>(channels), scale[0]);
  GPUEVAL_CHECK(std::ssize(scale) == channels, "{} scales for {} channels", scale.size(), channels);
  return {scale.begin(), scale.end()};
}

template <typename T>
void dequantize_as(const QuantView& src, const std::vector<float>& scale, const TensorView& dst) {
  for_each_pixel(src.shape.pixels(), [&](std::int64_t pixel) {
    const T* q = static_cast<const T*>(src.data) + pixel * src.pitch;
    float* x = static_cast<float*>(const_cast<void*>(dst.data)) + pixel * dst.pitch;
    for (std::size_t c = 0; c < scale.size(); ++c) x[c] = scale[c] * static_cast<float>(q[c]);
  });
}

template <typename T>
void quantize_as(const TensorView& src, const std::vector<float>& scale, float lo, float hi, const QuantView& dst) {
  for_each_pixel(src.shape.pixels(), [&](std::int64_t pixel) {
    const float* x = static_cast<const float*>(src.data) + pixel * src.pitch;
    T* q = static_cast<T*>(dst.data) + pixel * dst.pitch;
    for (std::size_t c = 0; c < scale.size(); ++c) {
      q[c] = static_cast<T>(std::nearbyintf(std::fmin(std::fmax(x[c] / scale[c], lo), hi)));
    }
  });
}

}  // namespace

void dequantize(const QuantView& src, std::span<const float> scale, const TensorView& dst) {
  const std::vector<float> scales = per_channel(scale, src.shape.c);
  if (src.dtype == DType::kU8) {
    dequantize_as<std::uint8_t>(src, scales, dst);
  } else {
    dequantize_as<std::int8_t>(src, scales, dst);
  }
}

void quantize_channels(const TensorView& src, std::span<const float> scale, const QuantView& dst) {
  const std::vector<float> scales = per_channel(scale, src.shape.c);
  if (dst.dtype == DType::kU8) {
    quantize_as<std::uint8_t>(src, scales, 0.0f, 255.0f, dst);
  } else {
    quantize_as<std::int8_t>(src, scales, -127.0f, 127.0f, dst);
  }
}

}  // namespace gpueval::cpu
