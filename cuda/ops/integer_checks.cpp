// SPDX-License-Identifier: Apache-2.0
#include "cuda/ops/integer_checks.h"

#include <limits>

#include "gpueval/error.h"

namespace gpueval::cuda {

void expect_integer(const char* op, const DeviceView& view) {
  if (view.dtype == DType::kU8 || view.dtype == DType::kS8) return;
  fail("{}: expected a tensor of u8 or s8, found {}", op, to_string(view.dtype));
}

void expect_type(const char* op, DType type, const DeviceView& view) {
  if (view.dtype == type) return;
  fail("{}: expected a tensor of {}, found {}", op, to_string(type), to_string(view.dtype));
}

void expect_shape(const char* op, const Shape& shape, const DeviceView& view) {
  if (view.shape == shape) return;
  fail("{}: expected a tensor of {}, found {}", op, to_string(shape), to_string(view.shape));
}

void expect_inside(const char* op, const DeviceView& src, const DeviceView& dst, int top, int left) {
  const Shape &from = src.shape, &to = dst.shape;
  if (src.dtype == dst.dtype && from.n == to.n && from.c == to.c && top >= 0 && left >= 0 && top + from.h <= to.h &&
      left + from.w <= to.w) {
    return;
  }
  fail("{}: expected a destination that holds {} of {} at row {}, column {}, found {} of {}", op, to_string(from),
       to_string(src.dtype), top, left, to_string(to), to_string(dst.dtype));
}

void expect_broadcast(const char* op, const DeviceView& a, const DeviceView& b, const DeviceView& dst) {
  const auto fits = [](int x, int y, int to) { return (x == to && (y == to || y == 1)) || (x == 1 && y == to); };
  const Shape &s = a.shape, &t = b.shape, &to = dst.shape;
  if (s.n == to.n && t.n == to.n && fits(s.h, t.h, to.h) && fits(s.w, t.w, to.w) && fits(s.c, t.c, to.c)) return;
  fail("{}: expected tensors that can be repeated to {}, found {} and {}", op, to_string(to), to_string(s),
       to_string(t));
}

void expect_alike(const char* op, const DeviceView& src, const DeviceView& dst) {
  if (src.dtype == dst.dtype && src.shape.n == dst.shape.n) return;
  fail("{}: expected tensors of one type and as many images, found {} of {} and {} of {}", op, to_string(src.shape),
       to_string(src.dtype), to_string(dst.shape), to_string(dst.dtype));
}

void expect_images(const char* op, const DeviceView& rgb, const DeviceView& dst) {
  expect_type(op, DType::kU8, rgb);
  if (rgb.shape.c == 3 && dst.shape.c == 3 && rgb.shape.n == dst.shape.n) return;
  fail("{}: expected images of 3 channels and as many destinations of 3, found {} and {}", op, to_string(rgb.shape),
       to_string(dst.shape));
}

unsigned blocks_for(const char* op, std::int64_t threads, unsigned block_threads) {
  if (threads < 1 || threads >= std::numeric_limits<std::int32_t>::max()) {
    fail("{}: {} threads, the kernel takes 1 to 2^31; use a smaller --batch", op, threads);
  }
  return static_cast<unsigned>((threads + block_threads - 1) / block_threads);
}

}  // namespace gpueval::cuda
