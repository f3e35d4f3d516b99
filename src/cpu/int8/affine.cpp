// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/affine.h"

#include <algorithm>

#include "core/threads.h"
#include "cpu/int8/ops_set.h"
#include "gpueval/error.h"

namespace gpueval::cpu {

void affine(const QuantView& src, std::span<const float> m, std::span<const float> b, float lo, float hi,
            const QuantView& dst) {
  const int channels = src.shape.c;
  GPUEVAL_CHECK(std::ssize(m) == channels && std::ssize(b) == channels, "{} and {} numbers for {} channels", m.size(),
                b.size(), channels);
  const std::size_t from = src.dtype == DType::kS8 ? 1 : 0;
  const auto run = dst.dtype == DType::kF32 ? ops_set().affine_f32[from] : ops_set().affine[from];
  const auto element = static_cast<std::int64_t>(size_of(dst.dtype));
  const std::int64_t pixels = src.shape.pixels(), per_task = std::max<std::int64_t>(1, 8192 / channels);
  parallel_for((pixels + per_task - 1) / per_task, [&](std::int64_t task) {
    const std::int64_t first = task * per_task;
    run({.src = static_cast<const std::byte*>(src.data) + first * src.pitch,
         .src_bytes = src.pitch,
         .m = m.data(),
         .b = b.data(),
         .pixels = std::min(pixels - first, per_task),
         .channels = channels,
         .lo = lo,
         .hi = hi,
         .dst = static_cast<std::byte*>(dst.data) + first * dst.pitch * element,
         .dst_bytes = dst.pitch * element});
  });
}

}  // namespace gpueval::cpu
