// SPDX-License-Identifier: Apache-2.0
#include "cpu/float_ops.h"

#include <algorithm>
#include <cstring>

namespace gpueval::cpu {

void add_f32(const TensorView& a, const TensorView& b, Activation act, const TensorView& dst) {
  const Bounds bounds = bounds_of(act);
  for_each_pixel(dst.shape.pixels(), [&](std::int64_t pixel) {
    const float *x = row(a, pixel), *y = row(b, pixel);
    float* out = row_out(dst, pixel);
    for (int c = 0; c < dst.shape.c; ++c) out[c] = std::min(std::max(x[c] + y[c], bounds.lo), bounds.hi);
  });
}

void relu_f32(const TensorView& src, Activation act, const TensorView& dst) {
  const Bounds bounds = bounds_of(act);
  for_each_pixel(dst.shape.pixels(), [&](std::int64_t pixel) {
    const float* x = row(src, pixel);
    float* out = row_out(dst, pixel);
    for (int c = 0; c < dst.shape.c; ++c) out[c] = std::min(std::max(x[c], bounds.lo), bounds.hi);
  });
}

void batch_norm_f32(const TensorView& src, std::span<const float> gain, std::span<const float> mean,
                    std::span<const float> beta, Activation act, const TensorView& dst) {
  const Bounds bounds = bounds_of(act);
  for_each_pixel(dst.shape.pixels(), [&](std::int64_t pixel) {
    const float* x = row(src, pixel);
    float* out = row_out(dst, pixel);
    for (std::size_t c = 0; c < gain.size(); ++c) {
      out[c] = std::min(std::max((x[c] - mean[c]) * gain[c] + beta[c], bounds.lo), bounds.hi);
    }
  });
}

void copy_tensor(const TensorView& src, const TensorView& dst, int top, int left) {
  const auto size = static_cast<std::int64_t>(size_of(src.dtype));
  const auto* from = static_cast<const std::byte*>(src.data);
  auto* to = static_cast<std::byte*>(const_cast<void*>(dst.data));
  const Shape& s = src.shape;
  const std::int64_t rows = std::int64_t{s.n} * s.h;
  parallel_for(rows, [&](std::int64_t r) {
    const std::int64_t image = r / s.h, y = r % s.h;
    const std::byte* in = from + r * s.w * src.pitch * size;
    std::byte* out = to + (((image * dst.shape.h + y + top) * dst.shape.w) + left) * dst.pitch * size;
    for (int x = 0; x < s.w; ++x) {
      std::memcpy(out + x * dst.pitch * size, in + x * src.pitch * size, static_cast<std::size_t>(s.c * size));
    }
  });
}

}  // namespace gpueval::cpu
