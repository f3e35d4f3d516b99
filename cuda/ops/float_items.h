// SPDX-License-Identifier: Apache-2.0
// Element by element on float tensors: one thread kWidth neighbouring channels.
#pragma once

#include "cuda/ops/float_view.h"
#include "cuda/prim/thread.h"

namespace gpueval::GPUEVAL_TARGET {

// items = pixels * groups, a group = kWidth channels.
struct Items {
  unsigned count, groups;
};

struct Place {
  std::int64_t pixel;
  int channel;
};

template <int kWidth>
GPUEVAL_DEVICE bool find_place(const Items& items, Place* place) {
  const unsigned item = block_index().x * kFloatThreads + thread_index().x;
  if (item >= items.count) return false;
  *place = {item / items.groups, static_cast<int>(item % items.groups) * kWidth};
  return true;
}

template <int kWidth>
Items items_of(const Shape& shape) {
  return {static_cast<unsigned>(shape.elements() / kWidth), static_cast<unsigned>(shape.c / kWidth)};
}

}  // namespace gpueval::GPUEVAL_TARGET
