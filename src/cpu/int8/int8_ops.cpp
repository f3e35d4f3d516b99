// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/int8_ops.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "core/threads.h"
#include "cpu/int8/isa.h"
#include "cpu/int8/ops_set.h"
#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

const OpsSet& ops() {
#if defined(__x86_64__)
  switch (vector_isa(best_isa_level())) {
    case Isa::kAvx512Vnni:
      return kOpsAvx512;
    case Isa::kAvx2:
      return kOpsAvx2;
    case Isa::kAmx:
    case Isa::kPortable:
      break;
  }
#endif
  return kOpsPortable;
}

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

// Calls body(pixel) for every output pixel, its taps and destination filled in.
template <typename Body>
void for_each_pixel(const QuantView& src, const Window& window, const QuantView& dst, std::int64_t dst_element,
                    Body&& body) {
  const Shape& in = src.shape;
  const int p_count = window.out_h(in.h), q_count = window.out_w(in.w);
  GPUEVAL_CHECK(dst.shape == (Shape{in.n, p_count, q_count, in.c}), "pool of {} into {}", to_string(in),
                to_string(dst.shape));
  PoolPixel common;
  common.pixel_bytes = src.pitch;
  common.row_bytes = src.pitch * in.w;
  common.channels = in.c;
  parallel_for(std::int64_t{in.n} * p_count, [&](std::int64_t row) {
    const std::int64_t n = row / p_count;
    const TapRange h =
        real_taps(static_cast<int>(row % p_count), window.stride_h, window.pad.top, window.kernel_h, in.h);
    PoolPixel pixel = common;
    pixel.rows = std::max(h.end - h.begin, 0);
    for (int q = 0; q < q_count; ++q) {
      const TapRange w = real_taps(q, window.stride_w, window.pad.left, window.kernel_w, in.w);
      pixel.cols = std::max(w.end - w.begin, 0);
      pixel.src = bytes(src) + (n * in.h + h.begin) * pixel.row_bytes + w.begin * pixel.pixel_bytes;
      pixel.dst = static_cast<std::byte*>(dst.data) + (row * q_count + q) * dst.pitch * dst_element;
      body(pixel);
    }
  });
}

void set_range(PoolPixel& pixel, DType dst) {
  pixel.lo = lowest(dst);
  pixel.hi = highest(dst);
}

// Average of whole images: few pixels with many taps, so channels are what is shared out.
void average_images(const QuantView& src, float m, void (*average)(const PoolPixel&), DType range, void* dst,
                    std::int64_t dst_pitch, std::int64_t dst_element) {
  const Shape& in = src.shape;
  constexpr int kLine = 64;
  const int lines = (in.c + kLine - 1) / kLine;
  const int parts = std::min(lines, threads());
  parallel_for(std::int64_t{in.n} * parts, [&](std::int64_t task) {
    const std::int64_t n = task / parts, part = task % parts;
    const std::int64_t first = part * lines / parts * kLine;
    PoolPixel pixel;
    pixel.pixel_bytes = src.pitch;
    pixel.row_bytes = src.pitch * in.w;
    pixel.rows = in.h;
    pixel.cols = in.w;
    pixel.channels = static_cast<int>(std::min<std::int64_t>((part + 1) * lines / parts * kLine, in.c) - first);
    pixel.m = m;
    set_range(pixel, range);
    pixel.src = bytes(src) + n * in.h * pixel.row_bytes + first;
    pixel.dst = static_cast<std::byte*>(dst) + (n * dst_pitch + first) * dst_element;
    average(pixel);
  });
}

// Cuts `pixels` x c elements into runs: whole slabs of dense tensors, single pixels of pitched ones.
template <typename Body>
void for_each_run(const Shape& shape, bool dense, Body&& body) {
  const std::int64_t pixels = shape.pixels();
  const std::int64_t per_task = std::max<std::int64_t>(1, 8192 / std::max(shape.c, 1));
  parallel_for((pixels + per_task - 1) / per_task, [&](std::int64_t task) {
    const std::int64_t first = task * per_task, last = std::min(pixels, first + per_task);
    if (dense) {
      body(first, (last - first) * shape.c);
    } else {
      for (std::int64_t pixel = first; pixel < last; ++pixel) body(pixel, std::int64_t{shape.c});
    }
  });
}

}  // namespace

void max_pool(const QuantView& src, const Window& window, float m, const QuantView& dst) {
  const auto maximum = ops().maximum[is_s8(src.dtype)][is_s8(dst.dtype)];
  for_each_pixel(src, window, dst, 1, [&](PoolPixel& pixel) {
    pixel.copy = m == 1.0f && src.dtype == dst.dtype;
    pixel.m = m;
    set_range(pixel, dst.dtype);
    maximum(pixel);
  });
}

void avg_pool(const QuantView& src, const Window& window, std::span<const float> m, const QuantView& dst) {
  GPUEVAL_CHECK(m.size() >= static_cast<std::size_t>(window.kernel_h * window.kernel_w), "{} factors", m.size());
  const auto average = ops().average[is_s8(src.dtype)][is_s8(dst.dtype)];
  for_each_pixel(src, window, dst, 1, [&](PoolPixel& pixel) {
    pixel.m = m[static_cast<std::size_t>(pixel.rows * pixel.cols - 1)];
    set_range(pixel, dst.dtype);
    average(pixel);
  });
}

void global_avg_pool(const QuantView& src, float m, const QuantView& dst) {
  average_images(src, m, ops().average[is_s8(src.dtype)][is_s8(dst.dtype)], dst.dtype, dst.data, dst.pitch, 1);
}

void global_avg_pool_f32(const QuantView& src, float m, float* dst) {
  average_images(src, m, ops().average_f32[is_s8(src.dtype)], DType::kU8, dst, src.shape.c, sizeof(float));
}

void add(const QuantView& a, float m1, const QuantView& b, float m2, float lo, float hi, const QuantView& dst) {
  const auto sum = ops().add[is_s8(a.dtype)][is_s8(b.dtype)][is_s8(dst.dtype)];
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
  const auto scale = ops().requantize[is_s8(src.dtype)][is_s8(dst.dtype)];
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
  const auto divide = ops().quantize[is_s8(dst.dtype)];
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
  const auto largest = ops().max_abs;
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
