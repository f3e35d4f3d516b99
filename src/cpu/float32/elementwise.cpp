// SPDX-License-Identifier: Apache-2.0
#include "cpu/float32/elementwise.h"

#include <algorithm>

#include "cpu/broadcast.h"
#include "cpu/element_runs.h"
#include "cpu/float32/functions.h"
#include "cpu/float_ops.h"
#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

bool is_dense(const TensorView& view) { return view.pitch == view.shape.c; }

// A source's channels of a pixel of the result.
struct Channels {
  const float* at;
  bool repeated;  // one for all
};

template <typename Combine>
void combine_channels(const Channels& a, const Channels& b, float* dst, std::int64_t count, Combine&& combine) {
  if (a.repeated) {
    for (std::int64_t c = 0; c < count; ++c) dst[c] = combine(*a.at, b.at[c]);
  } else if (b.repeated) {
    for (std::int64_t c = 0; c < count; ++c) dst[c] = combine(a.at[c], *b.at);
  } else {
    for (std::int64_t c = 0; c < count; ++c) dst[c] = combine(a.at[c], b.at[c]);
  }
}

template <typename Combine>
void combine_tensors(const TensorView& a, const TensorView& b, const TensorView& dst, Combine&& combine) {
  const Broadcast first(a.shape, dst.shape), second(b.shape, dst.shape);
  const bool slabs = a.shape == b.shape && is_dense(a) && is_dense(b) && is_dense(dst);
  for_each_run(dst.shape, slabs, [&](std::int64_t pixel, std::int64_t count) {
    const Channels x{row(a, first.pixel(pixel)), a.shape.c == 1 && dst.shape.c > 1};
    const Channels y{row(b, second.pixel(pixel)), b.shape.c == 1 && dst.shape.c > 1};
    combine_channels(x, y, row_out(dst, pixel), count, combine);
  });
}

}  // namespace

void activate_f32(const TensorView& src, const Function& function, const TensorView& dst) {
  const auto apply = function_set().apply[static_cast<std::size_t>(function.kind)];
  for_each_run(src.shape, is_dense(src) && is_dense(dst), [&](std::int64_t pixel, std::int64_t count) {
    apply(function, row(src, pixel), row_out(dst, pixel), count);
  });
}

void prelu_f32(const TensorView& src, std::span<const float> alpha, const TensorView& dst) {
  const std::int64_t channels = src.shape.c, pixels = std::ssize(alpha) / channels;  // that have slopes of their own
  GPUEVAL_CHECK(pixels == 1 || pixels == std::int64_t{src.shape.h} * src.shape.w, "{} slopes for {}", alpha.size(),
                to_string(src.shape));
  for_each_pixel(src.shape.pixels(), [&](std::int64_t pixel) {
    const float *x = row(src, pixel), *slope = alpha.data() + pixel % pixels * channels;
    float* out = row_out(dst, pixel);
    for (std::int64_t c = 0; c < channels; ++c) {
      const float product = x[c] * slope[c];
      out[c] = x[c] < 0 ? product : x[c];
    }
  });
}

void binary_f32(BinaryKind kind, const TensorView& a, const TensorView& b, const TensorView& dst) {
  switch (kind) {
    case BinaryKind::kAdd:
      return combine_tensors(a, b, dst, [](float x, float y) { return x + y; });
    case BinaryKind::kSubtract:
      return combine_tensors(a, b, dst, [](float x, float y) { return x - y; });
    case BinaryKind::kMultiply:
      return combine_tensors(a, b, dst, [](float x, float y) { return x * y; });
    case BinaryKind::kMaximum:
      return combine_tensors(a, b, dst, [](float x, float y) { return x > y ? x : y; });
    case BinaryKind::kMinimum:
      return combine_tensors(a, b, dst, [](float x, float y) { return x < y ? x : y; });
  }
}

}  // namespace gpueval::cpu
