// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/threads.h"
#include "gpueval/tensor.h"

namespace gpueval::cpu {

// Cuts `pixels` x c elements into runs: whole slabs of dense tensors, single pixels of pitched ones. Calls
// body(first pixel, elements), shared out over the threads.
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

}  // namespace gpueval::cpu
