// SPDX-License-Identifier: Apache-2.0
#include "cpu/moves.h"

#include <algorithm>
#include <cstring>

#include "cpu/float_ops.h"

namespace gpueval::cpu {
namespace {

const std::byte* bytes_at(const TensorView& view, std::int64_t element) {
  return static_cast<const std::byte*>(view.data) + element * static_cast<std::int64_t>(size_of(view.dtype));
}
std::byte* bytes_out(const TensorView& view, std::int64_t element) {
  return const_cast<std::byte*>(bytes_at(view, element));
}
std::size_t bytes_of(const TensorView& view, std::int64_t elements) {
  return static_cast<std::size_t>(elements) * size_of(view.dtype);
}
std::int64_t pixels_of_image(const TensorView& view) { return std::int64_t{view.shape.h} * view.shape.w; }

template <typename T>
void move_row(const void* src, std::int64_t step, int count, void* dst) {
  const T* from = static_cast<const T*>(src);
  T* to = static_cast<T*>(dst);
  for (int k = 0; k < count; ++k) to[k] = from[k * step];
}

// Some pixels of a tensor, `step` bytes apart.
struct PixelRun {
  std::byte* data;
  std::int64_t step;
};
PixelRun row_of(const TensorView& view, std::int64_t row) {
  return {bytes_out(view, row * view.shape.w * view.pitch),
          view.pitch * static_cast<std::int64_t>(size_of(view.dtype))};
}

// `count` pixels of `size` bytes.
void copy_pixels(PixelRun from, PixelRun to, std::size_t size, int count) {
  const auto dense = static_cast<std::int64_t>(size);
  if (from.step == dense && to.step == dense) {
    std::memcpy(to.data, from.data, size * static_cast<std::size_t>(count));
    return;
  }
  for (int x = 0; x < count; ++x) std::memcpy(to.data + x * to.step, from.data + x * from.step, size);
}

void clear_pixels(PixelRun to, std::size_t size, int count) {
  if (to.step == static_cast<std::int64_t>(size)) {
    std::memset(to.data, 0, size * static_cast<std::size_t>(count));
    return;
  }
  for (int x = 0; x < count; ++x) std::memset(to.data + x * to.step, 0, size);
}

PixelRun behind(PixelRun run, int pixels) { return {run.data + pixels * run.step, run.step}; }

}  // namespace

void copy_tensor(const TensorView& src, const TensorView& dst, int top, int left) {
  const Shape& shape = src.shape;
  parallel_for(std::int64_t{shape.n} * shape.h, [&](std::int64_t row) {
    const std::int64_t to = row / shape.h * dst.shape.h + row % shape.h + top;
    copy_pixels(row_of(src, row), behind(row_of(dst, to), left), bytes_of(src, shape.c), shape.w);
  });
}

void zero_pad(const TensorView& src, const TensorView& dst, int top, int left) {
  const Shape& shape = dst.shape;
  const std::size_t size = bytes_of(dst, shape.c);
  parallel_for(std::int64_t{shape.n} * shape.h, [&](std::int64_t row) {
    const std::int64_t y = row % shape.h - top;
    const PixelRun to = row_of(dst, row);
    if (y < 0 || y >= src.shape.h) {
      clear_pixels(to, size, shape.w);
      return;
    }
    clear_pixels(to, size, left);
    copy_pixels(row_of(src, row / shape.h * src.shape.h + y), behind(to, left), size, src.shape.w);
    clear_pixels(behind(to, left + src.shape.w), size, shape.w - left - src.shape.w);
  });
}

void move_pixels(const TensorView& src, std::span<const PixelSource> sources, const TensorView& dst) {
  const std::int64_t image_pixels = std::ssize(sources), source_pixels = pixels_of_image(src);
  const std::size_t size = bytes_of(dst, dst.shape.c);
  for_each_pixel(dst.shape.pixels(), [&](std::int64_t pixel) {
    const PixelSource& source = sources[static_cast<std::size_t>(pixel % image_pixels)];
    std::byte* to = bytes_out(dst, pixel * dst.pitch);
    if (source.pixel < 0) {
      std::memset(to, 0, size);
      return;
    }
    const std::int64_t from = pixel / image_pixels * source_pixels + source.pixel;
    std::memcpy(to, bytes_at(src, from * src.pitch + source.channel), size);
  });
}

void move_elements(const TensorView& src, const ElementSteps& steps, const TensorView& dst) {
  const Shape& shape = dst.shape;
  const auto move = size_of(dst.dtype) == 1 ? move_row<std::uint8_t> : move_row<std::uint32_t>;
  const auto element = static_cast<std::int64_t>(size_of(src.dtype));
  parallel_for(std::int64_t{shape.n} * shape.h, [&](std::int64_t row) {
    const std::int64_t image = row / shape.h * pixels_of_image(src) * src.pitch;
    const PixelRun from{bytes_out(src, image + steps.first + row % shape.h * steps.y), steps.x * element};
    const PixelRun to = row_of(dst, row);
    if (steps.k == 1) {
      copy_pixels(from, to, bytes_of(dst, shape.c), shape.w);
      return;
    }
    for (int x = 0; x < shape.w; ++x) move(behind(from, x).data, steps.k, shape.c, behind(to, x).data);
  });
}

void reshape(const TensorView& src, const TensorView& dst) {
  const int c = dst.shape.c, source_c = src.shape.c;
  for_each_pixel(dst.shape.pixels(), [&](std::int64_t pixel) {
    // Runs that lie in one pixel of the source.
    for (std::int64_t k = 0; k < c;) {
      const std::int64_t element = pixel * c + k, channel = element % source_c;
      const std::int64_t count = std::min<std::int64_t>(c - k, source_c - channel);
      const std::int64_t from = element / source_c * src.pitch + channel;
      std::memcpy(bytes_out(dst, pixel * dst.pitch + k), bytes_at(src, from), bytes_of(dst, count));
      k += count;
    }
  });
}

}  // namespace gpueval::cpu
