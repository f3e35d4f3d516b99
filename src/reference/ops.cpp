// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/reference.h"

namespace gpueval::reference {

int QuantTensor::at(std::int64_t index) const {
  const std::uint8_t byte = bytes[static_cast<std::size_t>(index)];
  return dtype == DType::kS8 ? static_cast<std::int8_t>(byte) : byte;
}

int QuantTensor::at(int n, int h, int w, int c) const {
  return at(((std::int64_t{n} * shape.h + h) * shape.w + w) * shape.c + c);
}

float lowest(DType type) { return type == DType::kS8 ? -127.0f : 0.0f; }
float highest(DType type) { return type == DType::kS8 ? 127.0f : 255.0f; }

int round_clamped(float v, float lo, float hi) {
  return static_cast<int>(std::nearbyintf(std::fminf(std::fmaxf(v, lo), hi)));
}

namespace {

// Calls visit(n, p, q, c, values of the real taps) for each output element.
template <typename Visit>
void for_each_window(const QuantTensor& src, const Window& window, Visit&& visit) {
  const Shape& in = src.shape;
  std::vector<int> values;
  for (int n = 0; n < in.n; ++n) {
    for (int p = 0; p < window.out_h(in.h); ++p) {
      for (int q = 0; q < window.out_w(in.w); ++q) {
        for (int c = 0; c < in.c; ++c) {
          values.clear();
          for (int r = 0; r < window.kernel_h; ++r) {
            for (int s = 0; s < window.kernel_w; ++s) {
              const int h = p * window.stride_h - window.pad.top + r;
              const int w = q * window.stride_w - window.pad.left + s;
              if (h >= 0 && h < in.h && w >= 0 && w < in.w) values.push_back(src.at(n, h, w, c));
            }
          }
          visit(values);
        }
      }
    }
  }
}

float sum_of(const std::vector<int>& values, int zero_point) {
  std::int32_t sum = 0;
  for (const int value : values) sum += value - zero_point;
  return static_cast<float>(sum);
}

Shape pooled_shape(const Shape& in, const Window& window) {
  return {in.n, window.out_h(in.h), window.out_w(in.w), in.c};
}

}  // namespace

QuantTensor max_pool(const QuantTensor& src, const Window& window, float m, DType dst) {
  QuantTensor out(dst, pooled_shape(src.shape, window));
  std::int64_t index = 0;
  for_each_window(src, window, [&](const std::vector<int>& values) {
    int best = std::numeric_limits<int>::min();
    for (const int value : values) best = std::max(best, value);
    const bool copy = m == 1.0f && dst == src.dtype;
    const float v = std::fmaf(static_cast<float>(best), m, 0.0f);
    out.set(index++, copy ? best : round_clamped(v, lowest(dst), highest(dst)));
  });
  return out;
}

QuantTensor avg_pool(const QuantTensor& src, const Window& window, std::span<const float> m, DType dst, int dst_zero) {
  QuantTensor out(dst, pooled_shape(src.shape, window));
  out.zero_point = dst_zero;
  std::int64_t index = 0;
  for_each_window(src, window, [&](const std::vector<int>& values) {
    const float v = std::fmaf(sum_of(values, src.zero_point), m[values.size() - 1], static_cast<float>(dst_zero));
    out.set(index++, round_clamped(v, lowest(dst), highest(dst)));
  });
  return out;
}

std::vector<float> global_avg_pool_f32(const QuantTensor& src, float m) {
  const Shape& in = src.shape;
  std::vector<float> out;
  for_each_window(src, {.kernel_h = in.h, .kernel_w = in.w, .pad = {}}, [&](const std::vector<int>& values) {
    out.push_back(std::fmaf(sum_of(values, src.zero_point), m, 0.0f));
  });
  return out;
}

QuantTensor global_avg_pool(const QuantTensor& src, float m, DType dst, int dst_zero) {
  const std::vector<float> factors(static_cast<std::size_t>(src.shape.h * src.shape.w), m);
  return avg_pool(src, {.kernel_h = src.shape.h, .kernel_w = src.shape.w, .pad = {}}, factors, dst, dst_zero);
}

QuantTensor add(const QuantTensor& a, float m1, const QuantTensor& b, float m2, float lo, float hi, DType dst) {
  QuantTensor out(dst, a.shape);
  for (std::int64_t i = 0; i < a.shape.elements(); ++i) {
    const float second = std::fmaf(static_cast<float>(b.at(i)), m2, 0.0f);
    out.set(i, round_clamped(std::fmaf(static_cast<float>(a.at(i)), m1, second), lo, hi));
  }
  return out;
}

QuantTensor requantize(const QuantTensor& src, float m, float lo, float hi, DType dst) {
  QuantTensor out(dst, src.shape);
  for (std::int64_t i = 0; i < src.shape.elements(); ++i) {
    out.set(i, round_clamped(std::fmaf(static_cast<float>(src.at(i)), m, 0.0f), lo, hi));
  }
  return out;
}

QuantTensor quantize(std::span<const float> src, const Shape& shape, float scale, DType dst) {
  QuantTensor out(dst, shape);
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    out.set(i, round_clamped(src[static_cast<std::size_t>(i)] / scale, lowest(dst), highest(dst)));
  }
  return out;
}

float max_abs(std::span<const float> values) {
  float best = 0;
  for (const float value : values) best = std::max(best, std::fabs(value));
  return best;
}

}  // namespace gpueval::reference
