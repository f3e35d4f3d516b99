// SPDX-License-Identifier: Apache-2.0
// The float steps of the quantized epilogue, equal bit for bit on host and device (nvcc --fmad=false, g++
// -ffp-contract=off: only what is written as fma is fused).
#pragma once

#include "cuda/prim/target.h"
#if !defined(__CUDACC__)
#include <cmath>
#endif

namespace gpueval::GPUEVAL_TARGET {

#if defined(__CUDACC__)
GPUEVAL_DEVICE float fma_rn(float a, float b, float c) { return __fmaf_rn(a, b, c); }
GPUEVAL_DEVICE int round_to_int(float v) { return __float2int_rn(v); }  // ties to even; clamp before
GPUEVAL_DEVICE float divide_rn(float a, float b) { return __fdiv_rn(a, b); }
GPUEVAL_DEVICE float int_to_float(int v) { return __int2float_rn(v); }
GPUEVAL_DEVICE float min_of(float a, float b) { return fminf(a, b); }
GPUEVAL_DEVICE float max_of(float a, float b) { return fmaxf(a, b); }
GPUEVAL_DEVICE float abs_of(float a) { return fabsf(a); }
GPUEVAL_DEVICE float exp_of(float a) { return expf(a); }
GPUEVAL_DEVICE float power_of(float a, float exponent) { return powf(a, exponent); }
GPUEVAL_DEVICE float sqrt_rn(float a) { return __fsqrt_rn(a); }
GPUEVAL_DEVICE int float_bits(float v) { return __float_as_int(v); }
GPUEVAL_DEVICE float bits_float(int v) { return __int_as_float(v); }
#else
inline float fma_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline int round_to_int(float v) { return static_cast<int>(std::nearbyint(v)); }
inline float divide_rn(float a, float b) { return a / b; }
inline float int_to_float(int v) { return static_cast<float>(v); }
inline float min_of(float a, float b) { return std::fmin(a, b); }
inline float max_of(float a, float b) { return std::fmax(a, b); }
inline float abs_of(float a) { return std::fabs(a); }
inline float exp_of(float a) { return std::exp(a); }
inline float power_of(float a, float exponent) { return std::pow(a, exponent); }
inline float sqrt_rn(float a) { return std::sqrt(a); }
inline int float_bits(float v) { return __builtin_bit_cast(int, v); }
inline float bits_float(int v) { return __builtin_bit_cast(float, v); }
#endif

// Adding 1.5 * 2^23 leaves an integer of less than 22 bits, rounded to nearest even, in the low bits of a float: one
// addition where GPUs do conversions at a quarter or less of that rate.
inline constexpr int kSmallIntBits = 0x4b400000;
inline constexpr float kSmallIntOffset = 12582912.0f;
// kSmallIntBits + i, |i| < 2^22 (an accumulator that started at kSmallIntBits): the float i.
GPUEVAL_DEVICE float small_int_to_float(int offset_int) { return bits_float(offset_int) - kSmallIntOffset; }
// The low 16 bits are those of rint(v); |v| < 2^15.
GPUEVAL_DEVICE std::uint32_t round_to_low_bits(float v) {
  return static_cast<std::uint32_t>(float_bits(v + kSmallIntOffset));
}

}  // namespace gpueval::GPUEVAL_TARGET
