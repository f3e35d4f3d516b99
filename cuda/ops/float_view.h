// SPDX-License-Identifier: Apache-2.0
// What the float operations share: typed views, the activation as bounds, and the choice between kernels that move one
// channel and those that move four at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "cuda/ops/float_checks.h"
#include "cuda/ops/ops.h"
#include "cuda/prim/arithmetic.h"
#include "cuda/prim/half.h"
#include "cuda/prim/target.h"

namespace gpueval::GPUEVAL_TARGET {

inline constexpr unsigned kFloatThreads = 256;

// Pixel after pixel, `pitch` elements apart.
template <typename T>
struct FloatView {
  T* data;
  std::int64_t pitch;
  GPUEVAL_DEVICE T* at(std::int64_t pixel, int channel) const { return data + pixel * pitch + channel; }
};

template <typename T>
FloatView<T> float_view(const cuda::DeviceView& view) {
  return {static_cast<T*>(view.data), view.pitch};
}

struct Bounds {
  float lo, hi;
  template <int kWidth>
  GPUEVAL_DEVICE void apply(Floats<kWidth>& x) const {
    GPUEVAL_UNROLL
    for (int i = 0; i < kWidth; ++i) x.v[i] = min_of(max_of(x.v[i], lo), hi);
  }
};

inline Bounds bounds_of(Activation act) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return {act == Activation::kNone ? -kInfinity : 0.0f, act == Activation::kRelu6 ? 6.0f : kInfinity};
}

// True if four channels of each view lie together, aligned: load_floats<4> and store_floats<4> may be used.
inline bool is_wide(std::initializer_list<cuda::DeviceView> views) {
  for (const cuda::DeviceView& view : views) {
    const std::size_t bytes = 4 * size_of(view.dtype);
    const bool wide =
        view.shape.c % 4 == 0 && view.pitch % 4 == 0 && reinterpret_cast<std::uintptr_t>(view.data) % bytes == 0;
    if (view.data != nullptr && !wide) return false;
  }
  return true;
}

// Calls fn.template operator()<T>() with T the element type of the tensors.
template <typename Fn>
void with_float_type(DType type, const char* operation, Fn&& fn) {
  if (type == DType::kF32) return fn.template operator()<float>();
  if (type == DType::kF16) return fn.template operator()<Half>();
  cuda::fail_float_type(operation, type);
}

// The same, and the channels moved at once: operator()<T, 4>() or operator()<T, 1>().
template <typename Fn>
void with_float_type(std::initializer_list<cuda::DeviceView> views, const char* operation, Fn&& fn) {
  const DType type = views.begin()->dtype;
  for (const cuda::DeviceView& view : views) {
    if (view.dtype != type) cuda::fail_mixed_types(operation, type, view.dtype);
  }
  with_float_type(type, operation, [&]<typename T>() {
    if (is_wide(views)) {
      fn.template operator()<T, 4>();
    } else {
      fn.template operator()<T, 1>();
    }
  });
}

// Threads numbered through blocks of kFloatThreads; kernels return where their number is not below `items`.
inline unsigned blocks_of(std::int64_t items, const char* operation) {
  if (items >= std::numeric_limits<std::int32_t>::max()) cuda::fail_too_large(operation, items);
  return static_cast<unsigned>((items + kFloatThreads - 1) / kFloatThreads);
}

}  // namespace gpueval::GPUEVAL_TARGET
