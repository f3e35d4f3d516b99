// SPDX-License-Identifier: Apache-2.0
// Floats to bytes, rounded to nearest even and saturated, two at a time. Finite numbers and infinities.
//
// cvt.rni.sat.s8.f32 is one F2I a number, for which ptxas keeps 8 cycles of a scheduler; a minimum or a permutation has
// 2. From sm_86 on cvt.rni.s32.f32 twice and cvt.pack.sat become one instruction, F2IP, of 2 cycles. Before, integers
// are packed in 2 cycles (I2IP), and a multiplication makes them: floats below 2^-126 are multiples of 2^-149 whose
// bits count these, so v * 2^-149, rounded once, has the bits of rint(v), and larger numbers have larger bits. Negative
// floats are negative integers, which u8 saturates to 0; s8 is v + 128 as u8, rounded once by the fused addition.
#pragma once

#include "cuda/prim/target.h"
#if !defined(__CUDACC__)
#include <cmath>
#endif

namespace gpueval::GPUEVAL_TARGET {

#if defined(__CUDACC__)
// Bytes 0 and 1: low and high; bytes 2 and 3: bytes 0 and 1 of above.
template <bool kUnsigned>
GPUEVAL_DEVICE std::uint32_t saturated_pair(float low, float high, std::uint32_t above) {
  std::uint32_t packed;
#if GPUEVAL_HAS_SM(86)
  const int low_int = __float2int_rn(low), high_int = __float2int_rn(high);
  if constexpr (kUnsigned) {
    asm("cvt.pack.sat.u8.s32.b32 %0, %1, %2, %3;" : "=r"(packed) : "r"(high_int), "r"(low_int), "r"(above));
  } else {
    asm("cvt.pack.sat.s8.s32.b32 %0, %1, %2, %3;" : "=r"(packed) : "r"(high_int), "r"(low_int), "r"(above));
  }
  return packed;
#else
  const float unit = __int_as_float(1), offset = __int_as_float(kUnsigned ? 0 : 128);
  const auto bits = [&](float v) {
    return __float_as_int(kUnsigned ? __fmul_rn(v, unit) : __fmaf_rn(v, unit, offset));
  };
  asm("cvt.pack.sat.u8.s32.b32 %0, %1, %2, %3;" : "=r"(packed) : "r"(bits(high)), "r"(bits(low)), "r"(above));
  return kUnsigned ? packed : packed ^ 0x8080u;
#endif
}
#else
template <bool kUnsigned>
std::uint32_t saturated_byte(float v) {
  constexpr float kLeast = kUnsigned ? 0.0f : -128.0f, kMost = kUnsigned ? 255.0f : 127.0f;
  return static_cast<std::uint32_t>(static_cast<int>(std::nearbyint(std::fmin(std::fmax(v, kLeast), kMost)))) & 0xffu;
}
template <bool kUnsigned>
std::uint32_t saturated_pair(float low, float high, std::uint32_t above) {
  return saturated_byte<kUnsigned>(low) | saturated_byte<kUnsigned>(high) << 8 | above << 16;
}
#endif

// All four bytes.
template <bool kUnsigned>
GPUEVAL_DEVICE std::uint32_t saturated_four(const float (&v)[4]) {
  return saturated_pair<kUnsigned>(v[0], v[1], saturated_pair<kUnsigned>(v[2], v[3], 0));
}

}  // namespace gpueval::GPUEVAL_TARGET
