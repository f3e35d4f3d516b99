// SPDX-License-Identifier: Apache-2.0
// Epilogue of 8 channels (docs/numerics.md) in AVX2 registers. Only for translation units with AVX2 flags.
#pragma once

#include <immintrin.h>

#include "cpu/int8/tile.h"

namespace gpueval::cpu {
namespace {

// Copies of at most 8 elements: AVX2 has no masked byte stores.
inline void copy_bytes(std::byte* dst, const std::byte* src, int count) {
  for (int i = 0; i < count; ++i) dst[i] = src[i];
}

// Two groups of eight bytes to any addresses. As doubles, which alias nothing that is read here: as bytes, the compiler
// would load weights and factors again behind each store. The intrinsics for this want a double's alignment.
using AnyDouble [[gnu::aligned(1)]] = double;
inline void store_low(__m128i bytes, std::byte* dst) {
  *reinterpret_cast<AnyDouble*>(dst) = _mm_castsi128_pd(bytes)[0];
}
inline void store_high(__m128i bytes, std::byte* dst) {
  *reinterpret_cast<AnyDouble*>(dst) = _mm_castsi128_pd(bytes)[1];
}

// Two vectors of eight outputs as bytes, the first in the low half. Only if Epilogue::in_range: rounded and packed
// first, the bytes clamped.
inline __m128i packed_bytes(__m256 v0, __m256 v1, const Epilogue& e) {
  const __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(v0), _mm256_cvtps_epi32(v1));
  const __m128i front = _mm256_castsi256_si128(words), back = _mm256_extracti128_si256(words, 1);
  const __m128i low = _mm_set1_epi8(static_cast<char>(e.low_byte));
  const __m128i high = _mm_set1_epi8(static_cast<char>(e.high_byte));
  __m128i q;  // dwords: channels 0-3 of both vectors, then 4-7 of both
  if (e.out == Out::kU8) {
    q = _mm_packus_epi16(front, back);
    if (e.clamp_bytes) q = _mm_min_epu8(_mm_max_epu8(q, low), high);
  } else {
    q = _mm_packs_epi16(front, back);
    if (e.clamp_bytes) q = _mm_min_epi8(_mm_max_epi8(q, low), high);
  }
  return _mm_shuffle_epi32(q, _MM_SHUFFLE(3, 1, 2, 0));
}

inline __m256 add_residual(__m256 v, const std::byte* residual, const Epilogue& e, int channels) {
  std::uint64_t bytes = 0;
  if (channels == 8) {
    __builtin_memcpy(&bytes, residual, 8);
  } else {
    copy_bytes(reinterpret_cast<std::byte*>(&bytes), residual, channels);
  }
  const __m128i r = _mm_cvtsi64_si128(static_cast<long long>(bytes));
  const __m256i wide = e.residual == Residual::kU8 ? _mm256_cvtepu8_epi32(r) : _mm256_cvtepi8_epi32(r);
  return _mm256_fmadd_ps(_mm256_cvtepi32_ps(wide), _mm256_set1_ps(e.residual_scale), v);
}

// `channels` (1 to 8) outputs from eight accumulators.
inline void store_vector(__m256i acc, const float* m, const float* b, const std::byte* residual, const Epilogue& e,
                         int channels, std::byte* dst) {
  __m256 v = _mm256_fmadd_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(m), _mm256_loadu_ps(b));
  if (e.residual != Residual::kNone) v = add_residual(v, residual, e, channels);
  v = _mm256_max_ps(v, _mm256_set1_ps(e.lo));
  if (e.out == Out::kF32) {
    if (channels == 8) {
      _mm256_storeu_ps(reinterpret_cast<float*>(dst), v);
    } else {
      float out[8];
      _mm256_storeu_ps(out, v);
      copy_bytes(dst, reinterpret_cast<const std::byte*>(out), channels * 4);
    }
    return;
  }
  const __m256i q = _mm256_cvtps_epi32(_mm256_min_ps(v, _mm256_set1_ps(e.hi)));
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
  const __m128i bytes = e.out == Out::kU8 ? _mm_packus_epi16(words, words) : _mm_packs_epi16(words, words);
  const long long eight = _mm_cvtsi128_si64(bytes);
  if (channels == 8) {
    __builtin_memcpy(dst, &eight, 8);
  } else {
    copy_bytes(dst, reinterpret_cast<const std::byte*>(&eight), channels);
  }
}

}  // namespace
}  // namespace gpueval::cpu
