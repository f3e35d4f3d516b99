// SPDX-License-Identifier: Apache-2.0
// 6 tiles x 16 output channels in 12 of 16 registers. Only for translation units with AVX2 flags.
#pragma once

#include "cpu/int8/epilogue_avx2.h"
#include "cpu/int8/winograd.inl.h"

namespace gpueval::cpu {
namespace {

// All but multiply_add().
struct Avx2Vectors {
  static constexpr int kBytes = 32;
  static constexpr int kRows[] = {0, 8, 6};
  using Sums = __m256i;
  struct Constants {};

  static Sums load(const std::int16_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  static void store(std::int32_t* to, const Sums& sums) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), sums); }
  static Sums broadcast(std::int32_t pair) { return _mm256_set1_epi32(pair); }
  static Sums add(const Sums& a, const Sums& b) { return _mm256_add_epi32(a, b); }
  static Sums zero() { return _mm256_setzero_si256(); }
  static Constants constants(const Epilogue&) { return {}; }

  template <bool kResidual>
  static __m256 output(const Sums& sums, const WinogradPixels& p, int pixel) {
    const __m256 v = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), _mm256_loadu_ps(p.m), _mm256_loadu_ps(p.b));
    if constexpr (!kResidual) return v;
    return add_residual(v, p.residual_of(pixel), *p.epilogue, 8);
  }

  static bool packs(const Epilogue& e) { return e.in_range; }  // float32 never is
  template <bool kResidual>
  static void store_pixel(const Sums& sums, const WinogradPixels& p, int pixel, const Constants&) {
    const std::byte* residual = kResidual ? p.residual_of(pixel) : nullptr;
    store_vector(sums, p.m, p.b, residual, *p.epilogue, p.channels, p.dst + pixel * p.dst_pixel);
  }
  template <bool kResidual>
  static void store_bytes(const Sums (&sums)[kWinogradOut], const WinogradPixels& p, const Constants&) {
#pragma GCC unroll 2
    for (int j = 0; j < kWinogradOut; j += 2) {
      const __m128i q =
          packed_bytes(output<kResidual>(sums[j], p, j), output<kResidual>(sums[j + 1], p, j + 1), *p.epilogue);
      if (j < p.count) store_low(q, p.dst + j * p.dst_pixel);
      if (j + 1 < p.count) store_high(q, p.dst + (j + 1) * p.dst_pixel);
    }
  }
};

template <typename V>
constexpr WinogradSet kWinogradOf256Bits = {
    .lanes = 8,
    .max_vectors = 2,
    .depth = 16,
    .source_u8 = winograd_source<V, std::uint8_t, Vectors<32>::U8>,
    .source_s8 = winograd_source<V, std::int8_t, Vectors<32>::S8>,
    .product = {nullptr, winograd_product<V, 1>, winograd_product<V, 2>},
    .outputs = winograd_outputs<V>,
};

}  // namespace
}  // namespace gpueval::cpu
