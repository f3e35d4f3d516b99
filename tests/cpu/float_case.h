// SPDX-License-Identifier: Apache-2.0
// Data for our float32 convolutions, and what they should be, in double.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/float32/float_conv.h"

namespace gpueval::cpu::test {

struct FloatData {
  std::vector<float> src, weights, bias, residual;
};

template <typename Draw>
FloatData make_data(const ConvDesc& d, Draw draw) {
  FloatData data;
  const auto fill = [&](std::vector<float>& values, std::int64_t count) {
    values.resize(static_cast<std::size_t>(count));
    for (float& value : values) value = draw();
  };
  fill(data.src, std::int64_t{d.n} * d.h * d.w * d.c);
  fill(data.weights, d.depth() * d.k);
  fill(data.bias, d.k);
  fill(data.residual, d.output_pixels() * d.k);
  return data;
}

struct FloatSum {
  double value, magnitude;  // magnitude: of the absolute products
};

inline FloatSum expected(const ConvDesc& d, const FloatData& data, std::int64_t pixel, int k) {
  const Window& w = d.window;
  const std::int64_t image = pixel / (d.p() * d.q());
  const int y = static_cast<int>(pixel / d.q() % d.p()) * w.stride_h - w.pad.top;
  const int x = static_cast<int>(pixel % d.q()) * w.stride_w - w.pad.left;
  FloatSum sum{data.bias[static_cast<std::size_t>(k)], std::abs(data.bias[static_cast<std::size_t>(k)])};
  for (int r = 0; r < w.kernel_h; ++r) {
    for (int s = 0; s < w.kernel_w; ++s) {
      if (y + r < 0 || y + r >= d.h || x + s < 0 || x + s >= d.w) continue;
      for (int c = 0; c < d.c; ++c) {
        const double a = data.src[static_cast<std::size_t>(((image * d.h + y + r) * d.w + x + s) * d.c + c)];
        const double b = data.weights[static_cast<std::size_t>(((r * w.kernel_w + s) * d.c + c) * d.k + k)];
        sum.value += a * b;
        sum.magnitude += std::abs(a * b);
      }
    }
  }
  return sum;
}

template <typename Conv>
std::vector<float> computed(const ConvDesc& d, const FloatData& data, Activation act, bool residual, int images = 0) {
  constexpr float kGuard = 12345.0f;
  const Conv conv(d, data.weights, data.bias, act);
  std::vector<float> dst(static_cast<std::size_t>(d.output_pixels() * d.k) + 16, kGuard);
  conv.run({.n = images > 0 ? images : d.n,
            .src = reinterpret_cast<const std::byte*>(data.src.data()),
            .dst = reinterpret_cast<std::byte*>(dst.data()),
            .residual = residual ? reinterpret_cast<const std::byte*>(data.residual.data()) : nullptr});
  EXPECT_TRUE(std::all_of(dst.end() - 16, dst.end(), [](float x) { return x == kGuard; })) << "wrote behind the end";
  dst.resize(dst.size() - 16);
  return dst;
}

}  // namespace gpueval::cpu::test
