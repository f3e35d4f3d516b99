// SPDX-License-Identifier: Apache-2.0
// Epilogue of one output row (docs/numerics.md) in AVX-512 registers. Only for translation units with AVX-512 flags.
#pragma once

#include <immintrin.h>

#include "cpu/int8/tile.h"

namespace gpueval::cpu {
namespace {

struct EpilogueConstants {
  __m512 lo, hi, residual_scale;
  __m512i low_bytes, high_bytes;
};

inline EpilogueConstants load_constants(const Epilogue& e) {
  return {_mm512_set1_ps(e.lo), _mm512_set1_ps(e.hi), _mm512_set1_ps(e.residual_scale),
          _mm512_set1_epi8(static_cast<char>(e.low_byte)), _mm512_set1_epi8(static_cast<char>(e.high_byte))};
}

inline __mmask64 first_bytes(int count) { return count >= 64 ? ~__mmask64{0} : (__mmask64{1} << count) - 1; }
inline __mmask16 first_lanes(int count) {
  return static_cast<__mmask16>(count >= 16 ? 0xffff : count <= 0 ? 0 : (1 << count) - 1);
}

inline __m512 scaled(__m512i acc, const float* m, const float* b) {
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(acc), _mm512_loadu_ps(m), _mm512_loadu_ps(b));
}

template <bool kInRange = false>
inline __m512i rounded(__m512 v, const EpilogueConstants& k) {
  if constexpr (kInRange) return _mm512_cvtps_epi32(v);
  return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(v, k.lo), k.hi));
}

// 16-bit integers to bytes; those of rounded<true>() are clamped here.
template <bool kInRange = false>
inline __m512i packed_bytes(__m512i lo, __m512i hi, const Epilogue& e, const EpilogueConstants& k) {
  if (e.out == Out::kU8) {
    const __m512i q = _mm512_packus_epi16(lo, hi);
    if (!kInRange || !e.clamp_bytes) return q;
    return _mm512_min_epu8(_mm512_max_epu8(q, k.low_bytes), k.high_bytes);
  }
  const __m512i q = _mm512_packs_epi16(lo, hi);
  if (!kInRange || !e.clamp_bytes) return q;
  return _mm512_min_epi8(_mm512_max_epi8(q, k.low_bytes), k.high_bytes);
}

// Bytes v * 4 + e of each 128-bit part, widened to 32 bits: the shuffled lane order of vector v.
template <int V>
inline __m512i widen_shuffled(__m512i bytes, Residual type) {
  if (type == Residual::kU8) {
    const __m512i pick =
        _mm512_set4_epi32(static_cast<int>(0x80808003u + V * 4), static_cast<int>(0x80808002u + V * 4),
                          static_cast<int>(0x80808001u + V * 4), static_cast<int>(0x80808000u + V * 4));
    return _mm512_shuffle_epi8(bytes, pick);
  }
  const __m512i pick = _mm512_set4_epi32(
      static_cast<int>(0x03808080u + V * 0x04000000u), static_cast<int>(0x02808080u + V * 0x04000000u),
      static_cast<int>(0x01808080u + V * 0x04000000u), static_cast<int>(0x00808080u + V * 0x04000000u));
  return _mm512_srai_epi32(_mm512_shuffle_epi8(bytes, pick), 24);
}

template <bool kResidual, int V>
inline __m512 shuffled_vector(__m512i acc, const float* m, const float* b, __m512i residual, Residual type,
                              const EpilogueConstants& k) {
  const __m512 v = scaled(acc, m + V * 16, b + V * 16);
  if constexpr (!kResidual) return v;
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(widen_shuffled<V>(residual, type)), k.residual_scale, v);
}

// Float32 from shuffled lane order: a 4 x 4 transposition of 128-bit parts. Not inlined: rare, and passed in registers.
[[gnu::noinline, maybe_unused]] void store_shuffled_f32(__m512 v0, __m512 v1, __m512 v2, __m512 v3, float lo,
                                                        int channels, std::byte* dst) {
  const __m512 low = _mm512_set1_ps(lo);
  const __m512 a = _mm512_shuffle_f32x4(v0, v1, 0x44), b = _mm512_shuffle_f32x4(v0, v1, 0xee);
  const __m512 c = _mm512_shuffle_f32x4(v2, v3, 0x44), d = _mm512_shuffle_f32x4(v2, v3, 0xee);
  // a: parts 0, 1 of v0 then of v1; picking every other part gives part l of v0..v3 in order.
  const __m512 out[4] = {_mm512_shuffle_f32x4(a, c, 0x88), _mm512_shuffle_f32x4(a, c, 0xdd),
                         _mm512_shuffle_f32x4(b, d, 0x88), _mm512_shuffle_f32x4(b, d, 0xdd)};
  for (int l = 0; l < 4; ++l) {
    _mm512_mask_storeu_ps(dst + l * 64, first_lanes(channels - l * 16), _mm512_max_ps(out[l], low));
  }
}

// 64 channels in shuffled lane order (the first `channels` of them are stored).
template <bool kResidual, bool kInRange>
inline void store_shuffled(__m512i a0, __m512i a1, __m512i a2, __m512i a3, const float* m, const float* b,
                           const std::byte* residual, const Epilogue& e, const EpilogueConstants& k, int channels,
                           std::byte* dst) {
  const __mmask64 mask = first_bytes(channels);
  __m512i r = _mm512_setzero_si512();
  if constexpr (kResidual) r = _mm512_maskz_loadu_epi8(mask, residual);
  const __m512 v0 = shuffled_vector<kResidual, 0>(a0, m, b, r, e.residual, k);
  const __m512 v1 = shuffled_vector<kResidual, 1>(a1, m, b, r, e.residual, k);
  const __m512 v2 = shuffled_vector<kResidual, 2>(a2, m, b, r, e.residual, k);
  const __m512 v3 = shuffled_vector<kResidual, 3>(a3, m, b, r, e.residual, k);
  if (e.out == Out::kF32) {
    store_shuffled_f32(v0, v1, v2, v3, e.lo, channels, dst);
    return;
  }
  const __m512i lo = _mm512_packs_epi32(rounded<kInRange>(v0, k), rounded<kInRange>(v1, k));
  const __m512i hi = _mm512_packs_epi32(rounded<kInRange>(v2, k), rounded<kInRange>(v3, k));
  const __m512i q = packed_bytes<kInRange>(lo, hi, e, k);
  if (channels >= 64) {
    _mm512_storeu_si512(dst, q);
  } else {
    _mm512_mask_storeu_epi8(dst, mask, q);
  }
}

template <bool kResidual>
inline void store_shuffled(const __m512i* a, const float* m, const float* b, const std::byte* residual,
                           const Epilogue& e, const EpilogueConstants& k, int channels, std::byte* dst) {
  if (e.in_range) {
    store_shuffled<kResidual, true>(a[0], a[1], a[2], a[3], m, b, residual, e, k, channels, dst);
  } else {
    store_shuffled<kResidual, false>(a[0], a[1], a[2], a[3], m, b, residual, e, k, channels, dst);
  }
}

// Float32 and residual are rare: kept out of the way of the integer stores.
[[gnu::noinline, maybe_unused]] void store_f32(__m512 v, float lo, int channels, std::byte* dst) {
  _mm512_mask_storeu_ps(dst, first_lanes(channels), _mm512_max_ps(v, _mm512_set1_ps(lo)));
}

// 1 to 3 vectors in channel order. Packing works within 128-bit parts and leaves the four bytes of part l of vector v
// at dword l * 4 + v; one permutation of dwords puts them in order.
template <int kVectors, bool kResidual>
inline void store_natural(const __m512i* acc, const float* m, const float* b, const std::byte* residual,
                          const Epilogue& e, const EpilogueConstants& k, int channels, std::byte* dst) {
  __m512 v[3];
#pragma GCC unroll 3
  for (int j = 0; j < kVectors; ++j) {
    v[j] = scaled(acc[j], m + j * 16, b + j * 16);
    if constexpr (kResidual) {
      const __m128i r = _mm_maskz_loadu_epi8(first_lanes(channels - j * 16), residual + j * 16);
      const __m512i wide = e.residual == Residual::kU8 ? _mm512_cvtepu8_epi32(r) : _mm512_cvtepi8_epi32(r);
      v[j] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(wide), k.residual_scale, v[j]);
    }
  }
  if (e.out == Out::kF32) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) store_f32(v[j], e.lo, channels - j * 16, dst + j * 64);
    return;
  }
  const __m512i zero = _mm512_setzero_si512();
  const __m512i q0 = rounded(v[0], k);
  __m512i lo = zero, hi = zero;
  if constexpr (kVectors == 1) lo = _mm512_packs_epi32(q0, q0);
  if constexpr (kVectors >= 2) lo = _mm512_packs_epi32(q0, rounded(v[1], k));
  if constexpr (kVectors == 3) {
    const __m512i q2 = rounded(v[2], k);
    hi = _mm512_packs_epi32(q2, q2);
  }
  const __m512i packed = e.out == Out::kU8 ? _mm512_packus_epi16(lo, hi) : _mm512_packs_epi16(lo, hi);
  const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
  const __m512i q = _mm512_permutexvar_epi32(order, packed);
  if (channels < kVectors * 16) {
    _mm512_mask_storeu_epi8(dst, first_bytes(channels), q);
  } else if constexpr (kVectors == 1) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(dst), _mm512_castsi512_si128(q));
  } else {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst), _mm512_castsi512_si256(q));
    if constexpr (kVectors == 3) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + 32), _mm512_extracti32x4_epi32(q, 2));
    }
  }
}

// acc += x . w. Not the intrinsic: g++ 12 copies its accumulator, and then spills half of a tile.
inline void multiply_add(__m512i& acc, __m512i x, __m512i w) {
  asm volatile("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
}

}  // namespace
}  // namespace gpueval::cpu
