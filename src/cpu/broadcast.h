// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "gpueval/tensor.h"

namespace gpueval::cpu {

// Finds in a tensor whose extents are `result`'s or 1 the pixel that belongs to a pixel of the result.
struct Broadcast {
  Shape result;
  std::int64_t image, y, x;  // pixels from one to the next; 0 along what is repeated

  Broadcast(const Shape& src, const Shape& to)
      : result(to), image(std::int64_t{src.h} * src.w), y(src.h == 1 ? 0 : src.w), x(src.w == 1 ? 0 : 1) {}
  std::int64_t pixel(std::int64_t of_result) const {
    const std::int64_t row = of_result / result.w;
    return row / result.h * image + row % result.h * y + of_result % result.w * x;
  }
};

}  // namespace gpueval::cpu
