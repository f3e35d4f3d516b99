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

}  // namespace gpueval::cpu
