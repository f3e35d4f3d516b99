// SPDX-License-Identifier: Apache-2.0
// The integer operations of docs/numerics.md as slow, plain loops: the specification in code. Every kernel of every
// backend must give these bits. Tensors are dense NHWC, weights [K][R][S][C] (depthwise [R][S][C]).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "gpueval/conv_desc.h"
#include "gpueval/graph.h"
#include "gpueval/tensor.h"

namespace gpueval::reference {

// A dense s8 or u8 tensor.
struct QuantTensor {
  DType dtype = DType::kU8;
  Shape shape;
  std::vector<std::uint8_t> bytes;  // s8 values in two's complement
  int zero_point = 0;               // real = scale * (q - zero_point)

  QuantTensor() = default;
  QuantTensor(DType type, const Shape& s) : dtype(type), shape(s), bytes(static_cast<std::size_t>(s.elements())) {}
  int at(std::int64_t index) const;
  int at(int n, int h, int w, int c) const;
  void set(std::int64_t index, int value) { bytes[static_cast<std::size_t>(index)] = static_cast<std::uint8_t>(value); }
};

// q = rint(min(max(v, lo), hi)), ties to even.
int round_clamped(float v, float lo, float hi);
float lowest(DType type);   // -127 or 0
float highest(DType type);  // 127 or 255

struct ConvParams {
  ConvDesc desc;
  std::span<const std::int8_t> weights;
  std::span<const float> m, b;  // one number each per output channel
  float lo = 0, hi = 255;
  const QuantTensor* residual = nullptr;
  float residual_scale = 0;
};
// acc = sum of products; padded taps hold src's zero point.
std::vector<std::int32_t> conv_accumulators(const QuantTensor& src, const ConvParams& params);
// v = fmaf(acc, m[k], b[k]); if (residual) v = fmaf(r, residual_scale, v); v = max(v, lo).
std::vector<float> conv_f32(const QuantTensor& src, const ConvParams& params);
// q = rint(min(v, hi)).
QuantTensor conv(const QuantTensor& src, const ConvParams& params, DType dst);

// Maximum over the real taps, then fmaf(max, m, 0), clamped to dst's range.
QuantTensor max_pool(const QuantTensor& src, const Window& window, float m, DType dst);
// fmaf(sum of the count real taps less src's zero point, m[count - 1], dst_zero).
QuantTensor avg_pool(const QuantTensor& src, const Window& window, std::span<const float> m, DType dst,
                     int dst_zero = 0);
QuantTensor global_avg_pool(const QuantTensor& src, float m, DType dst, int dst_zero = 0);
std::vector<float> global_avg_pool_f32(const QuantTensor& src, float m);
// fmaf(q1, m1, fmaf(q2, m2, 0)).
QuantTensor add(const QuantTensor& a, float m1, const QuantTensor& b, float m2, float lo, float hi, DType dst);
QuantTensor requantize(const QuantTensor& src, float m, float lo, float hi, DType dst);
// v = fmaf(q, m[c], b[c]), not below lo; q = rint(clamp(v)).
std::vector<float> affine_f32(const QuantTensor& src, std::span<const float> m, std::span<const float> b, float lo);
QuantTensor affine(const QuantTensor& src, std::span<const float> m, std::span<const float> b, float lo, float hi,
                   DType dst);
// table[byte of q]; 256 of them.
QuantTensor lookup(const QuantTensor& src, std::span<const std::uint8_t> table, DType dst);
// fmaf(q, q < 0 ? b[i] : m[i], 0), clamped to dst's range; i: the channel or, where there are as many, the element of
// an image.
QuantTensor prelu(const QuantTensor& src, std::span<const float> m, std::span<const float> b, DType dst);
// fmaf((q1 - zero point) * (q2 - zero point), m1, dst_zero); with v2 = fmaf(q2, m2, 0) fmaf(q1, m1, v2), fmaf(q1, m1,
// -v2), or the larger or smaller one of fmaf(q1, m1, 0) and v2. Clamped to dst's range. Where an extent of one source
// is 1, it is repeated.
QuantTensor binary(BinaryKind kind, const QuantTensor& a, float m1, const QuantTensor& b, float m2, DType dst,
                   int dst_zero = 0);
// rint(clamp(x / scale)).
QuantTensor quantize(std::span<const float> src, const Shape& shape, float scale, DType dst);
float max_abs(std::span<const float> values);

}  // namespace gpueval::reference
