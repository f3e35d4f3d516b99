// SPDX-License-Identifier: Apache-2.0
// float16 tensors: conversion of one element, and 1 or 4 neighbouring elements of a float32 or float16 tensor as
// float32 numbers. Rounding to nearest, ties to even; subnormals are kept; beyond 65504 (rounded) infinity.
#pragma once

#include "cuda/prim/target.h"
#if defined(__CUDACC__)
#include <cuda_fp16.h>
#else
#include "emulator/device.h"
#endif

namespace gpueval::GPUEVAL_TARGET {

struct Half {
  std::uint16_t bits;
};

#if defined(__CUDACC__)
GPUEVAL_DEVICE float to_float(Half h) { return __half2float(__ushort_as_half(h.bits)); }
GPUEVAL_DEVICE Half to_half(float v) { return {__half_as_ushort(__float2half_rn(v))}; }
#else
inline float to_float(Half h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h.bits & 0x8000) << 16;
  const std::uint32_t exponent = h.bits >> 10 & 31, mantissa = h.bits & 1023;
  if (exponent == 31) return __builtin_bit_cast(float, sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0) return __builtin_bit_cast(float, sign | (exponent + 112) << 23 | mantissa << 13);
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
  return __builtin_bit_cast(float, sign | __builtin_bit_cast(std::uint32_t, magnitude));
}
inline Half to_half(float v) {
  const std::uint32_t bits = __builtin_bit_cast(std::uint32_t, v);
  const std::uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  std::uint32_t half = 0;
  if (magnitude > 0x7f800000) {
    return {0x7fff};                     // the GPU's NaN
  } else if (magnitude >= 0x477ff000) {  // 65520: half way from 65504 to 65536
    half = 0x7c00;
  } else if (magnitude >= 0x38800000) {  // 2^-14: normal
    half = (magnitude + 0xfff + (magnitude >> 13 & 1) - (112u << 23)) >> 13;
  } else {  // the sum's last bit is worth 2^-24, as a subnormal half's: the addition rounds
    half = __builtin_bit_cast(std::uint32_t, __builtin_bit_cast(float, magnitude) + 0.5f) -
           __builtin_bit_cast(std::uint32_t, 0.5f);
  }
  return {static_cast<std::uint16_t>(sign | half)};
}
#endif

// 1 or 4 elements. Four must lie aligned to their size together (16 or 8 bytes).
template <int kWidth>
struct Floats {
  float v[kWidth];
};

template <int kWidth>
GPUEVAL_DEVICE Floats<kWidth> load_floats(const float* src) {
  static_assert(kWidth == 1 || kWidth == 4);
  if constexpr (kWidth == 1) {
    return {{*src}};
  } else {
#if defined(__CUDACC__)
    const float4 x = *reinterpret_cast<const float4*>(src);
    return {{x.x, x.y, x.z, x.w}};
#else
    emulator::device::check_alignment(src, 16);
    return {{src[0], src[1], src[2], src[3]}};
#endif
  }
}

template <int kWidth>
GPUEVAL_DEVICE Floats<kWidth> load_floats(const Half* src) {
  static_assert(kWidth == 1 || kWidth == 4);
  if constexpr (kWidth == 1) {
    return {{to_float(*src)}};
  } else {
#if defined(__CUDACC__)
    const uint2 x = *reinterpret_cast<const uint2*>(src);
    return {{to_float({static_cast<std::uint16_t>(x.x)}), to_float({static_cast<std::uint16_t>(x.x >> 16)}),
             to_float({static_cast<std::uint16_t>(x.y)}), to_float({static_cast<std::uint16_t>(x.y >> 16)})}};
#else
    emulator::device::check_alignment(src, 8);
    return {{to_float(src[0]), to_float(src[1]), to_float(src[2]), to_float(src[3])}};
#endif
  }
}

template <int kWidth>
GPUEVAL_DEVICE void store_floats(float* dst, const Floats<kWidth>& x) {
  static_assert(kWidth == 1 || kWidth == 4);
  if constexpr (kWidth == 1) {
    *dst = x.v[0];
  } else {
#if defined(__CUDACC__)
    *reinterpret_cast<float4*>(dst) = make_float4(x.v[0], x.v[1], x.v[2], x.v[3]);
#else
    emulator::device::check_alignment(dst, 16);
    for (int i = 0; i < 4; ++i) dst[i] = x.v[i];
#endif
  }
}

template <int kWidth>
GPUEVAL_DEVICE void store_floats(Half* dst, const Floats<kWidth>& x) {
  static_assert(kWidth == 1 || kWidth == 4);
  if constexpr (kWidth == 1) {
    *dst = to_half(x.v[0]);
  } else {
#if defined(__CUDACC__)
    const auto pair = [](float low, float high) {
      return static_cast<unsigned>(to_half(low).bits) | static_cast<unsigned>(to_half(high).bits) << 16;
    };
    *reinterpret_cast<uint2*>(dst) = make_uint2(pair(x.v[0], x.v[1]), pair(x.v[2], x.v[3]));
#else
    emulator::device::check_alignment(dst, 8);
    for (int i = 0; i < 4; ++i) dst[i] = to_half(x.v[i]);
#endif
  }
}

}  // namespace gpueval::GPUEVAL_TARGET
