// SPDX-License-Identifier: Apache-2.0
// Loops of elementwise.h, part of int8_ops.inl.h. One loop serves sources of both types.
#pragma once

#include "cpu/int8/int8_pool.inl.h"
#include "cpu/int8/lookup.inl.h"

namespace gpueval::cpu {
namespace {

struct Sum {
  static float of(float a, float m1, float b, float m2, float) { return __builtin_fmaf(a, m1, b * m2); }
};
struct Difference {
  static float of(float a, float m1, float b, float m2, float) { return __builtin_fmaf(a, m1, -(b * m2)); }
};
struct Product {  // of at most 255 * 255, exact
  static float of(float a, float m1, float b, float, float zero) { return __builtin_fmaf(a * b, m1, zero); }
};
struct Larger {
  static float of(float a, float m1, float b, float m2, float) { return a * m1 > b * m2 ? a * m1 : b * m2; }
};
struct Smaller {
  static float of(float a, float m1, float b, float m2, float) { return a * m1 < b * m2 ? a * m1 : b * m2; }
};

inline float value_of(std::uint8_t byte, int flip, int offset) { return static_cast<float>((byte ^ flip) - offset); }

template <typename Operation>
void binary(const PairRun& caller) {
  const PairRun run = caller;  // or the byte stores below could change it, and nothing would vectorise
  const auto* __restrict a = reinterpret_cast<const std::uint8_t*>(run.a);
  const auto* __restrict b = reinterpret_cast<const std::uint8_t*>(run.b);
  auto* __restrict dst = reinterpret_cast<std::uint8_t*>(run.dst);
  for (std::int64_t i = 0; i < run.count; ++i) {
    const float first = value_of(a[i], run.a_flip, run.a_offset), second = value_of(b[i], run.b_flip, run.b_offset);
    dst[i] = round_clamped(Operation::of(first, run.m1, second, run.m2, run.dst_zero), run.lo, run.hi);
  }
}

void prelu(const PReluRun& caller) {
  const PReluRun run = caller;  // as above
  const auto* __restrict src = reinterpret_cast<const std::uint8_t*>(run.src);
  const float* __restrict m = run.m, * __restrict b = run.b;
  auto* __restrict dst = reinterpret_cast<std::uint8_t*>(run.dst);
  for (std::int64_t i = 0; i < run.count; ++i) {
    const float q = value_of(src[i], run.flip, run.flip), positive = m[i], negative = b[i];
    dst[i] = round_clamped(q * (q < 0 ? negative : positive), run.lo, run.hi);
  }
}

}  // namespace
}  // namespace gpueval::cpu
