// SPDX-License-Identifier: Apache-2.0
// A source whose extents are the result's or 1: which of its pixels belongs to one of the result's.
#pragma once

#include "cuda/ops/ops.h"
#include "cuda/prim/target.h"

namespace gpueval::GPUEVAL_TARGET {

struct Repeated {
  unsigned h, w;            // of the result
  std::int64_t image, row;  // pixels from one to the next; row 0: all alike
  int column;               // 1, or 0
  bool channel;             // one for all
  GPUEVAL_DEVICE std::int64_t pixel(unsigned of_result) const {
    const unsigned y = of_result / w;
    return y / h * image + y % h * row + static_cast<std::int64_t>(of_result % w) * column;
  }
};

inline Repeated repeated(const cuda::DeviceView& src, const cuda::DeviceView& dst) {
  return {.h = static_cast<unsigned>(dst.shape.h),
          .w = static_cast<unsigned>(dst.shape.w),
          .image = std::int64_t{src.shape.h} * src.shape.w,
          .row = src.shape.h == 1 ? 0 : src.shape.w,
          .column = src.shape.w == 1 ? 0 : 1,
          .channel = src.shape.c == 1 && dst.shape.c > 1};
}

}  // namespace gpueval::GPUEVAL_TARGET
