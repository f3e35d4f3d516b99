// SPDX-License-Identifier: Apache-2.0
// Source addresses of a run of output pixels, one per pixel and kernel position, so that a kernel needs neither a
// padded copy nor any knowledge of strides and borders: positions outside the image point at one of padding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gpueval/conv_desc.h"

namespace gpueval::cpu {

struct TapSource {
  const std::byte* data = nullptr;
  std::int64_t pixel_bytes = 0, row_bytes = 0, image_bytes = 0;
  int h = 0, w = 0;
  Window window;
  int p = 0, q = 0;                    // output rows and columns
  const std::byte* padding = nullptr;  // what a position outside the image reads
};

// table[t * stride + i] = source of kernel position t (row-major) for output pixel first + i (flattened n, p, q).
void fill_tap_table(const TapSource& source, std::int64_t first, std::int64_t count, std::int64_t stride,
                    const std::byte** table);

// Kernel rows [begin, end), one at least: all others read nothing but zeros for each of these output pixels.
struct KernelRows {
  int begin = 0, end = 1;
};
KernelRows real_kernel_rows(const TapSource& source, std::int64_t first, std::int64_t count);
// Whether any of them reads rows of zeros at all. Both divide, which small tiles would feel: this is asked once for
// many tiles.
bool meets_zero_rows(const TapSource& source, std::int64_t first, std::int64_t count);

}  // namespace gpueval::cpu
