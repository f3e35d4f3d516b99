// SPDX-License-Identifier: Apache-2.0
// Tiles of 256-bit registers, common to AVX2 and AVX-VNNI: a row's next four source bytes (two s16 or four u8) are
// broadcast to all lanes, and kMultiplyAdd(acc, source, weights) adds each lane's products to its sum. Only for
// translation units with AVX2 flags.
#pragma once

#include "cpu/int8/epilogue_avx2.h"
#include "cpu/int8/tile.h"

namespace gpueval::cpu {
namespace {

template <bool kResidual>
inline __m256 output(__m256i acc, const TileArgs& a, const Epilogue& e, int row, int vector) {
  const __m256 v =
      _mm256_fmadd_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(a.m + vector * 8), _mm256_loadu_ps(a.b + vector * 8));
  if constexpr (!kResidual) return v;
  return add_residual(v, a.residual + row * a.residual_pitch + vector * 8, e, 8);
}

// Whole blocks of bytes in range: nearly all there are. Two rows of one vector are packed as one row of two are.
template <bool kResidual, int kVectors, int kRows>
[[gnu::always_inline]] inline void store_bytes(const __m256i (&acc)[kRows][kVectors], const TileArgs& a) {
  const Epilogue e = *a.epilogue;
  constexpr int kRowsAtOnce = kVectors == 2 ? 1 : 2;
#pragma GCC unroll 12
  for (int i = 0; i < kRows; i += kRowsAtOnce) {
    const int second = kRowsAtOnce == 2 && i + 1 < kRows ? i + 1 : i;
    const __m256 v0 = output<kResidual>(acc[i][0], a, e, i, 0);
    const __m256 v1 = output<kResidual>(acc[second][kVectors - 1], a, e, second, kVectors - 1);
    const __m128i q = packed_bytes(v0, v1, e);
    std::byte* dst = a.dst + i * a.dst_pitch;
    if constexpr (kVectors == 2) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(dst), q);
    } else {
      store_low(q, dst);
      store_high(q, a.dst + second * a.dst_pitch);
    }
  }
}

// Everything else, from memory: code that is rare.
[[gnu::noinline]] void store_any(const __m256i* acc, int rows, int vectors, const TileArgs& a) {
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < vectors && j * 8 < a.channels; ++j) {
      const int left = a.channels - j * 8;
      store_vector(acc[i * vectors + j], a.m + j * 8, a.b + j * 8,
                   a.residual ? a.residual + i * a.residual_pitch + j * 8 : nullptr, *a.epilogue, left < 8 ? left : 8,
                   a.dst + i * a.dst_pitch + j * 8 * bytes);
    }
  }
}

template <auto kMultiplyAdd, int kVectors, int kRows>
void tile_of(const TileArgs& a) {
  __m256i acc[kRows][kVectors];
#pragma GCC unroll 2
  for (int j = 0; j < kVectors; ++j) {
    const __m256i start = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a.start + j * 8));
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) acc[i][j] = start;
  }
  const std::byte* weights = a.weights;
  for (int t = 0; t < a.tap_count; ++t) {
    const std::byte* x[kRows];
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) x[i] = a.taps[t * a.tap_stride + i];
    const std::int64_t end = std::int64_t{a.groups} * 4;
    for (std::int64_t c = 0; c < end; c += 4) {
      __m256i w[kVectors];
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) w[j] = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + j * 32));
      weights += kVectors * 32;
#pragma GCC unroll 12
      for (int i = 0; i < kRows; ++i) {
        int step;
        __builtin_memcpy(&step, x[i] + c, 4);
        const __m256i v = _mm256_set1_epi32(step);
#pragma GCC unroll 2
        for (int j = 0; j < kVectors; ++j) kMultiplyAdd(acc[i][j], v, w[j]);
      }
    }
  }
  const bool whole = a.channels == kVectors * 8 && a.epilogue->in_range && a.epilogue->out != Out::kF32;
  if (whole && a.epilogue->residual == Residual::kNone) {
    store_bytes<false>(acc, a);
  } else if (whole) {
    store_bytes<true>(acc, a);
  } else {
    __m256i sums[kRows * kVectors];
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) sums[i * kVectors + j] = acc[i][j];
    }
    store_any(sums, kRows, kVectors, a);
  }
}

}  // namespace
}  // namespace gpueval::cpu
