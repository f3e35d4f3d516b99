// SPDX-License-Identifier: Apache-2.0
// float32 and, for coordinates and probabilities, float64 arithmetic, one rounding an operation. Subnormals are kept
// but where the name says ftz.
#pragma once

#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdint>

namespace gpueval::ptx {

template <typename T>
T add_rn(T a, T b) {
  return a + b;
}
template <typename T>
T sub_rn(T a, T b) {
  return a - b;
}
template <typename T>
T mul_rn(T a, T b) {
  return a * b;
}
template <typename T>
T div_rn(T a, T b) {
  return a / b;
}
inline float fma_rn(float a, float b, float c) { return std::fma(a, b, c); }
// Towards minus infinity.
inline float fma_rm(float a, float b, float c) {
  const int before = std::fegetround();
  std::fesetround(FE_DOWNWARD);
  volatile float x = a, y = b, z = c;  // or the compiler moves the operation out
  volatile float result = std::fma(x, y, z);
  std::fesetround(before);
  return result;
}

// Of a number and a NaN the number; -0 is less than +0.
inline float min_float(float a, float b) {
  if (std::isnan(a)) return b;
  if (std::isnan(b)) return a;
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}
inline float max_float(float a, float b) {
  if (std::isnan(a)) return b;
  if (std::isnan(b)) return a;
  if (a == b) return std::signbit(a) ? b : a;
  return a < b ? b : a;
}
inline float abs_float(float a) { return std::bit_cast<float>(std::bit_cast<std::uint32_t>(a) & 0x7fffffffu); }
inline float neg_float(float a) { return std::bit_cast<float>(std::bit_cast<std::uint32_t>(a) ^ 0x80000000u); }
inline double neg_double(double a) { return std::bit_cast<double>(std::bit_cast<std::uint64_t>(a) ^ 1ull << 63); }

inline float saturate(float a) { return std::isnan(a) ? 0.0f : std::fmin(std::fmax(a, 0.0f), 1.0f); }
inline float flush(float a) { return std::fpclassify(a) == FP_SUBNORMAL ? std::copysign(0.0f, a) : a; }
// The GPU's is off by up to 2 units in the last place; here rounded once.
inline float exp2_ftz(float a) { return flush(static_cast<float>(std::exp2(static_cast<double>(flush(a))))); }
template <typename T>
T reciprocal_rn(T a) {
  return 1 / a;
}
inline float reciprocal_ftz(float a) { return flush(1 / flush(a)); }  // the GPU's is off by one unit
inline float sqrt_rn(float a) { return std::sqrt(a); }
inline float to_nearest(float a) { return std::nearbyint(a); }
inline float towards_zero(float a) { return std::trunc(a); }
inline float downwards(float a) { return std::floor(a); }

}  // namespace gpueval::ptx
