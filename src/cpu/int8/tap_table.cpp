// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/tap_table.h"

#include <algorithm>

namespace gpueval::cpu {
namespace {

// Smallest x >= 0 with x * step + offset >= bound.
int first_reaching(int bound, int offset, int step) { return std::max(0, (bound - offset + step - 1) / step); }

// The source row that an output pixel's kernel begins at.
int top_row(const TapSource& source, std::int64_t pixel) {
  const std::int64_t image_pixels = std::int64_t{source.p} * source.q;
  return static_cast<int>(pixel % image_pixels / source.q) * source.window.stride_h - source.window.pad.top;
}

// One tap of output pixels [begin, end) of one output row. `row`: the source row, nullptr if outside the image.
void fill_run(const TapSource& source, const std::byte* row, int column, int begin, int end, const std::byte** out) {
  int i = begin;
  if (row != nullptr) {
    const int step = source.window.stride_w;
    const int inside = std::clamp(first_reaching(0, column, step), begin, end);
    const int past = std::clamp(first_reaching(source.w, column, step), inside, end);
    for (; i < inside; ++i) *out++ = source.padding;
    const std::int64_t bytes = source.pixel_bytes * step;
    const std::byte* at = row + source.pixel_bytes * column + bytes * i;
    for (; i < past; ++i, at += bytes) *out++ = at;
  }
  for (; i < end; ++i) *out++ = source.padding;
}

}  // namespace

void fill_tap_table(const TapSource& source, std::int64_t first, std::int64_t count, std::int64_t stride,
                    const std::byte** table) {
  const Window& window = source.window;
  const std::int64_t image_pixels = std::int64_t{source.p} * source.q;
  std::int64_t done = 0;
  while (done < count) {
    const std::int64_t pixel = first + done;
    const std::int64_t image = pixel / image_pixels, in_image = pixel % image_pixels;
    const int p = static_cast<int>(in_image / source.q), q = static_cast<int>(in_image % source.q);
    const int end = static_cast<int>(std::min<std::int64_t>(source.q, q + count - done));
    for (int r = 0; r < window.kernel_h; ++r) {
      const int h = p * window.stride_h - window.pad.top + r * window.dilation_h;
      const std::byte* row =
          h >= 0 && h < source.h ? source.data + image * source.image_bytes + h * source.row_bytes : nullptr;
      for (int s = 0; s < window.kernel_w; ++s) {
        fill_run(source, row, s * window.dilation_w - window.pad.left, q, end,
                 table + (r * window.kernel_w + s) * stride + done);
      }
    }
    done += end - q;
  }
}

bool meets_zero_rows(const TapSource& source, std::int64_t first, std::int64_t count) {
  const std::int64_t image_pixels = std::int64_t{source.p} * source.q, last = first + count - 1;
  if (first / image_pixels != last / image_pixels) return true;
  const Window& window = source.window;
  return top_row(source, first) < 0 || top_row(source, last) + (window.kernel_h - 1) * window.dilation_h >= source.h;
}

KernelRows real_kernel_rows(const TapSource& source, std::int64_t first, std::int64_t count) {
  const Window& window = source.window;
  const std::int64_t image_pixels = std::int64_t{source.p} * source.q, last = first + count - 1;
  if (first / image_pixels != last / image_pixels) return {0, window.kernel_h};
  const int begin = std::min(first_reaching(0, top_row(source, last), window.dilation_h), window.kernel_h - 1);
  const int end = std::min(first_reaching(source.h, top_row(source, first), window.dilation_h), window.kernel_h);
  return {begin, std::max(end, begin + 1)};
}

}  // namespace gpueval::cpu
