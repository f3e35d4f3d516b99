// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/int8_ops.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#include "core/threads.h"
#include "cpu/element_runs.h"
#include "cpu/int8/isa.h"
#include "cpu/int8/ops_set.h"
#include "gpueval/error.h"

namespace gpueval::cpu {

const OpsSet& ops_set() {
#if defined(__x86_64__)
  switch (vector_isa(best_isa_level())) {
    case Isa::kAvx512Vnni:
      return kOpsAvx512;
    case Isa::kAvx2:
      return kOpsAvx2;
    case Isa::kAvxVnni:
    case Isa::kAmx:
    case Isa::kPortable:
      break;
  }
#endif
  return kOpsPortable;
}

namespace {

int is_s8(DType type) { return type == DType::kS8 ? 1 : 0; }
float lowest(DType type) { return type == DType::kS8 ? -127.0f : 0.0f; }
float highest(DType type) { return type == DType::kS8 ? 127.0f : 255.0f; }
const std::byte* bytes(const QuantView& view) { return static_cast<const std::byte*>(view.data); }

struct TapRange {
  int begin, end;
};
TapRange real_taps(int out, int stride, int pad, int kernel, int size) {
  const int start = out * stride - pad;
  return {std::max(start, 0), std::min(start + kernel, size)};
}

void set_range(PoolRow& row, DType dst) {
  row.lo = lowest(dst);
  row.hi = highest(dst);
}

using PoolFn = void (*)(const PoolRow&);

void pool(const QuantView& src, const Window& window, const PoolRow& common, PoolFn fn, const QuantView& dst) {
  const Shape& in = src.shape;
  const int p_count = window.out_h(in.h), q_count = window.out_w(in.w);
  GPUEVAL_CHECK(dst.shape == (Shape{in.n, p_count, q_count, in.c}), "pool of {} into {}", to_string(in),
                to_string(dst.shape));
  parallel_for(std::int64_t{in.n} * p_count, [&](std::int64_t task) {
    const std::int64_t n = task / p_count;
    const TapRange h =
        real_taps(static_cast<int>(task % p_count), window.stride_h, window.pad.top, window.kernel_h, in.h);
    PoolRow row = common;
    row.pixel_bytes = src.pitch;
    row.row_bytes = src.pitch * in.w;
    row.src = bytes(src) + (n * in.h + h.begin) * row.row_bytes;
    row.rows = std::max(h.end - h.begin, 0);
    row.w = in.w;
    row.q = q_count;
    row.kernel_w = window.kernel_w;
    row.stride_w = window.stride_w;
    row.pad_left = window.pad.left;
    row.channels = in.c;
    set_range(row, dst.dtype);
    row.dst = static_cast<std::byte*>(dst.data) + task * q_count * dst.pitch;
    row.dst_pitch = dst.pitch;
    fn(row);
  });
}

// Average of whole images: few pixels with many taps, so channels are what is shared out.
void average_images(const QuantView& src, float m, PoolFn average, const QuantView& dst, std::int64_t dst_element) {
  const Shape& in = src.shape;
  constexpr int kLine = 64;
  const int lines = (in.c + kLine - 1) / kLine;
  const int parts = std::min(lines, threads());
  const std::vector<float> factors(static_cast<std::size_t>(in.h * in.w), m);
  parallel_for(std::int64_t{in.n} * parts, [&](std::int64_t task) {
    const std::int64_t n = task / parts, part = task % parts;
    const std::int64_t first = part * lines / parts * kLine;
    PoolRow row;
    row.pixel_bytes = src.pitch;
    row.row_bytes = src.pitch * in.w;
    row.rows = in.h;
    row.w = row.kernel_w = in.w;
    row.q = 1;
    row.channels = static_cast<int>(std::min<std::int64_t>((part + 1) * lines / parts * kLine, in.c) - first);
    row.m = factors.data();
    row.zero = src.zero_point;
    row.dst_zero = static_cast<float>(dst.zero_point);
    set_range(row, dst.dtype);
    row.src = bytes(src) + n * in.h * row.row_bytes + first;
    row.dst = static_cast<std::byte*>(dst.data) + (n * dst.pitch + first) * dst_element;
    average(row);
  });
}

}  // namespace

void max_pool(const QuantView& src, const Window& window, float m, const QuantView& dst) {
  PoolRow row;
  row.copy = m == 1.0f && src.dtype == dst.dtype;
  row.m = &m;
  pool(src, window, row, ops_set().maximum[is_s8(src.dtype)], dst);
}

void avg_pool(const QuantView& src, const Window& window, std::span<const float> m, const QuantView& dst) {
  GPUEVAL_CHECK(m.size() >= static_cast<std::size_t>(window.kernel_h * window.kernel_w), "{} factors", m.size());
  PoolRow row;
  row.m = m.data();
  row.zero = src.zero_point;
  row.dst_zero = static_cast<float>(dst.zero_point);
  pool(src, window, row, ops_set().average[is_s8(src.dtype)], dst);
}

void global_avg_pool(const QuantView& src, float m, const QuantView& dst) {
  average_images(src, m, ops_set().average[is_s8(src.dtype)], dst, 1);
}

void global_avg_pool_f32(const QuantView& src, float m, float* dst) {
  average_images(src, m, ops_set().average_f32[is_s8(src.dtype)], {.data = dst, .pitch = src.shape.c}, sizeof(float));
}

void add(const QuantView& a, float m1, const QuantView& b, float m2, float lo, float hi, const QuantView& dst) {
  const auto sum = ops_set().add[is_s8(a.dtype)][is_s8(b.dtype)];
  const bool dense = a.pitch == a.shape.c && b.pitch == a.shape.c && dst.pitch == a.shape.c;
  for_each_run(a.shape, dense, [&](std::int64_t pixel, std::int64_t count) {
    sum({.a = bytes(a) + pixel * a.pitch,
         .b = bytes(b) + pixel * b.pitch,
         .count = count,
         .m1 = m1,
         .m2 = m2,
         .lo = lo,
         .hi = hi,
         .dst = static_cast<std::byte*>(dst.data) + pixel * dst.pitch});
  });
}

void requantize(const QuantView& src, float m, float lo, float hi, const QuantView& dst) {
  const auto scale = ops_set().requantize[is_s8(src.dtype)];
  const bool copy = m == 1.0f && src.dtype == dst.dtype && lo <= lowest(src.dtype) && hi >= highest(src.dtype);
  const bool dense = src.pitch == src.shape.c && dst.pitch == src.shape.c;
  for_each_run(src.shape, dense, [&](std::int64_t pixel, std::int64_t count) {
    const std::byte* from = bytes(src) + pixel * src.pitch;
    std::byte* to = static_cast<std::byte*>(dst.data) + pixel * dst.pitch;
    if (copy) {
      std::memmove(to, from, static_cast<std::size_t>(count));
    } else {
      scale({.a = from, .b = nullptr, .count = count, .m1 = m, .lo = lo, .hi = hi, .dst = to});
    }
  });
}

void quantize(const float* src, std::int64_t src_pitch, float scale, const QuantView& dst) {
  const auto divide = ops_set().quantize;
  const bool dense = src_pitch == dst.shape.c && dst.pitch == dst.shape.c;
  for_each_run(dst.shape, dense, [&](std::int64_t pixel, std::int64_t count) {
    divide({.a = reinterpret_cast<const std::byte*>(src + pixel * src_pitch),
            .b = nullptr,
            .count = count,
            .m1 = scale,
            .lo = lowest(dst.dtype),
            .hi = highest(dst.dtype),
            .dst = static_cast<std::byte*>(dst.data) + pixel * dst.pitch});
  });
}

float max_abs(const float* src, const Shape& shape, std::int64_t pitch) {
  const auto largest = ops_set().max_abs;
  std::mutex mutex;
  float best = 0;
  const auto merge = [&](float value) {
    const std::lock_guard lock(mutex);
    best = std::max(best, value);
  };
  if (pitch == shape.c) {
    for_each_run(shape, true,
                 [&](std::int64_t pixel, std::int64_t count) { merge(largest(src + pixel * pitch, count)); });
    return best;
  }
  const std::int64_t rows = std::int64_t{shape.n} * shape.h;
  parallel_for(rows, [&](std::int64_t row) {
    float value = 0;
    for (std::int64_t x = row * shape.w; x < (row + 1) * shape.w; ++x) {
      value = std::max(value, largest(src + x * pitch, shape.c));
    }
    merge(value);
  });
  return best;
}

}  // namespace gpueval::cpu
