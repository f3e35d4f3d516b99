// SPDX-License-Identifier: Apache-2.0
// Float32 operations that oneDNN has no fast form of in NHWC with pitches. All use every thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>

#include "core/threads.h"
#include "gpueval/engine.h"
#include "gpueval/graph.h"

namespace gpueval::cpu {

// Calls fn(pixel) for every pixel, shared out over the threads.
template <typename Fn>
void for_each_pixel(std::int64_t pixels, Fn&& fn) {
  constexpr std::int64_t kPixelsPerTask = 256;
  parallel_for((pixels + kPixelsPerTask - 1) / kPixelsPerTask, [&](std::int64_t task) {
    const std::int64_t end = std::min(pixels, (task + 1) * kPixelsPerTask);
    for (std::int64_t pixel = task * kPixelsPerTask; pixel < end; ++pixel) fn(pixel);
  });
}

inline const float* row(const TensorView& view, std::int64_t pixel) {
  return static_cast<const float*>(view.data) + pixel * view.pitch;
}
inline float* row_out(const TensorView& view, std::int64_t pixel) { return const_cast<float*>(row(view, pixel)); }

struct Bounds {
  float lo, hi;
};
inline Bounds bounds_of(Activation act) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return {act == Activation::kNone ? -kInfinity : 0.0f, act == Activation::kRelu6 ? 6.0f : kInfinity};
}

// dst = act(a + b)
void add_f32(const TensorView& a, const TensorView& b, Activation act, const TensorView& dst);
// dst = act(src)
void relu_f32(const TensorView& src, Activation act, const TensorView& dst);
// dst = act(gamma * (src - mean) / sqrt(variance + eps) + beta), as gain = gamma / sqrt(..), dst = (src - mean) * gain
// + beta
void batch_norm_f32(const TensorView& src, std::span<const float> gain, std::span<const float> mean,
                    std::span<const float> beta, Activation act, const TensorView& dst);

}  // namespace gpueval::cpu
