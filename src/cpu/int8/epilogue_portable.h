// SPDX-License-Identifier: Apache-2.0
// Epilogue of one output (docs/numerics.md) in plain C++.
#pragma once

#include <cmath>
#include <cstring>

#include "cpu/int8/tile.h"

namespace gpueval::cpu {
namespace {

// Round to nearest, ties to even, for |v| < 2^22: adding 1.5 * 2^23 leaves no bits for the fraction.
inline int round_to_even(float v) {
  constexpr float kShift = 12582912.0f;
  return static_cast<int>((v + kShift) - kShift);
}

inline void store_element(std::int32_t acc, float m, float b, const std::byte* residual, const Epilogue& e,
                          std::byte* dst) {
  float v = std::fmaf(static_cast<float>(acc), m, b);
  if (e.residual == Residual::kU8) v = std::fmaf(static_cast<float>(std::uint8_t(*residual)), e.residual_scale, v);
  if (e.residual == Residual::kS8) v = std::fmaf(static_cast<float>(std::int8_t(*residual)), e.residual_scale, v);
  v = v > e.lo ? v : e.lo;
  if (e.out == Out::kF32) {
    std::memcpy(dst, &v, sizeof v);
  } else {
    *dst = static_cast<std::byte>(round_to_even(v < e.hi ? v : e.hi));
  }
}

}  // namespace
}  // namespace gpueval::cpu
