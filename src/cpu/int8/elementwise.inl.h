// SPDX-License-Identifier: Apache-2.0
// Loops of elementwise.h, part of int8_ops.inl.h. One loop serves sources of both types and, as a rounded number's low
// byte is the same in both, destinations of both.
#pragma once

#include "cpu/int8/int8_pool.inl.h"
#include "cpu/int8/lookup.inl.h"

namespace gpueval::cpu {
namespace {

struct Sum {
  static float of(float a, float m1, float b, float m2) { return __builtin_fmaf(a, m1, b * m2); }
};
struct Difference {
  static float of(float a, float m1, float b, float m2) { return __builtin_fmaf(a, m1, -(b * m2)); }
};
struct Product {  // of at most 255 * 255, exact
  static float of(float a, float m1, float b, float) { return a * b * m1; }
};
struct Larger {
  static float of(float a, float m1, float b, float m2) { return a * m1 > b * m2 ? a * m1 : b * m2; }
};
struct Smaller {
  static float of(float a, float m1, float b, float m2) { return a * m1 < b * m2 ? a * m1 : b * m2; }
};

inline float signed_value(std::uint8_t byte, int flip) { return static_cast<float>((byte ^ flip) - flip); }

template <typename Operation>
void binary(const PairRun& caller) {
  const PairRun run = caller;  // or the byte stores below could change it, and nothing would vectorise
  const auto* __restrict a = reinterpret_cast<const std::uint8_t*>(run.a);
  const auto* __restrict b = reinterpret_cast<const std::uint8_t*>(run.b);
  auto* __restrict dst = reinterpret_cast<std::uint8_t*>(run.dst);
  for (std::int64_t i = 0; i < run.count; ++i) {
    const float v = Operation::of(signed_value(a[i], run.a_flip), run.m1, signed_value(b[i], run.b_flip), run.m2);
    dst[i] = round_clamped<std::uint8_t>(v, run.lo, run.hi);
  }
}

void prelu(const PReluRun& caller) {
  const PReluRun run = caller;  // as above
  const auto* __restrict src = reinterpret_cast<const std::uint8_t*>(run.src);
  const float* __restrict m = run.m, * __restrict b = run.b;
  auto* __restrict dst = reinterpret_cast<std::uint8_t*>(run.dst);
  for (std::int64_t i = 0; i < run.count; ++i) {
    const float q = signed_value(src[i], run.flip), positive = m[i], negative = b[i];
    dst[i] = round_clamped<std::uint8_t>(q * (q < 0 ? negative : positive), run.lo, run.hi);
  }
}

}  // namespace
}  // namespace gpueval::cpu
