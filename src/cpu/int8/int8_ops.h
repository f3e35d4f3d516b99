// SPDX-License-Identifier: Apache-2.0
// The other integer operations of the CPU backend: pooling, addition, requantization, input quantization. NHWC with
// pixel pitches in elements, exact as int8_conv.h. All are vectorised per ISA level (best_isa()) and use all threads().
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "gpueval/conv_desc.h"
#include "gpueval/tensor.h"

namespace gpueval::cpu {

struct QuantView {  // an s8 or u8 tensor, or a channel slice of one
  void* data = nullptr;
  DType dtype = DType::kU8;
  Shape shape;  // n, h, w, c
  std::int64_t pitch = 0;
  int zero_point = 0;  // of sources and results of averages and products
};

// Padded taps are ignored. m = 1 and equal types: exact copy of the maximum; else
// q = rint(clamp(fmaf((float)max, m, 0))) to dst's type, lo/hi = dst's range.
void max_pool(const QuantView& src, const Window& window, float m, const QuantView& dst);

// int32 sum over the real pixels of each window, less src's zero point for each, then v = fmaf(sum, m[count - 1], dst's
// zero point), clamp to dst's range, rint.
void avg_pool(const QuantView& src, const Window& window, std::span<const float> m, const QuantView& dst);
// Average of all pixels: m for h * w pixels. dst: one pixel per image, or float32 logits (v, not clamped).
void global_avg_pool(const QuantView& src, float m, const QuantView& dst);
void global_avg_pool_f32(const QuantView& src, float m, float* dst);

// v = fmaf(q1, m1, fmaf(q2, m2, 0)); clamp to [lo, hi]; rint.
void add(const QuantView& a, float m1, const QuantView& b, float m2, float lo, float hi, const QuantView& dst);

// v = fmaf(q, m, 0); clamp to [lo, hi]; rint. ReLU: lo = 0. m = 1, equal types and no cut: a copy.
void requantize(const QuantView& src, float m, float lo, float hi, const QuantView& dst);

// Float32 -> integer: q = rint(clamp(x / scale)) with the division of docs/numerics.md, clamp to dst's range.
void quantize(const float* src, std::int64_t src_pitch, float scale, const QuantView& dst);

// max |x| of one image's tensor (h * w pixels, c channels, pitch), for the reference scheme's run-time scale.
float max_abs(const float* src, const Shape& shape, std::int64_t pitch);

}  // namespace gpueval::cpu
