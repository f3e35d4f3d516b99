// SPDX-License-Identifier: Apache-2.0
// AVX-512 VNNI tiles: rows x (16 * vectors) channels, all accumulators in registers (6 x 4 = 24 of 32). One step of
// four channels loads `vectors` weight registers, broadcasts four source bytes a row and issues rows * vectors
// vpdpbusd, so loads stay well below the two-a-cycle limit. s8 sources come as x + 128; the accumulators start at -128
// * sum(w).
#if defined(__x86_64__)
#include "cpu/int8/epilogue_avx512.h"
#include "cpu/int8/tile.h"

namespace gpueval::cpu {
namespace {

template <int kVectors, bool kResidual>
inline void store_row(const __m512i* acc, const TileArgs& a, int row, const EpilogueConstants& k) {
  std::byte* dst = a.dst + row * a.dst_pitch;
  const std::byte* residual = kResidual ? a.residual + row * a.residual_pitch : nullptr;
  const Epilogue& e = *a.epilogue;
  if constexpr (kVectors == 4) {
    store_shuffled<kResidual>(acc, a.m, a.b, residual, e, k, a.channels, dst);
  } else {
    store_natural<kVectors, kResidual>(acc, a.m, a.b, residual, e, k, a.channels, dst);
  }
}

// Dwords of four packed rows in memory order, for rows of 4, 8, 12 and 16 bytes: dword l of row v is packed at l * 4 +
// v.
alignas(64) constexpr int kFourRows[4][16] = {{0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                                              {0, 4, 1, 5, 2, 6, 3, 7, 0, 0, 0, 0, 0, 0, 0, 0},
                                              {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, 0, 0, 0, 0},
                                              {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}};

// Few channels, rows adjacent in memory: four rows are packed and stored as one.
inline void store_four_rows(__m512i a0, __m512i a1, __m512i a2, __m512i a3, const TileArgs& a,
                            const EpilogueConstants& k, std::byte* dst) {
  const __m512i lo = _mm512_packs_epi32(rounded(scaled(a0, a.m, a.b), k), rounded(scaled(a1, a.m, a.b), k));
  const __m512i hi = _mm512_packs_epi32(rounded(scaled(a2, a.m, a.b), k), rounded(scaled(a3, a.m, a.b), k));
  const __m512i packed = a.epilogue->out == Out::kU8 ? _mm512_packus_epi16(lo, hi) : _mm512_packs_epi16(lo, hi);
  const __m512i q = _mm512_permutexvar_epi32(_mm512_load_si512(kFourRows[a.channels / 4 - 1]), packed);
  _mm512_mask_storeu_epi8(dst, first_bytes(4 * a.channels), q);
}

inline bool rows_adjacent(const TileArgs& a) {
  return a.dst_pitch == a.channels && a.channels % 4 == 0 && a.epilogue->out != Out::kF32 &&
         a.epilogue->residual == Residual::kNone;
}

// Four channels of every row.
template <int kVectors, int kRows>
[[gnu::always_inline]] inline void step(const std::byte* const* x, std::int64_t c, const std::byte* weights,
                                        __m512i (&acc)[kRows][kVectors]) {
  __m512i w[kVectors];
#pragma GCC unroll 4
  for (int j = 0; j < kVectors; ++j) w[j] = _mm512_load_si512(weights + j * 64);
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
    int four;
    __builtin_memcpy(&four, x[i] + c, 4);
    const __m512i v = _mm512_set1_epi32(four);
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) multiply_add(acc[i][j], v, w[j]);
  }
}

template <int kVectors, int kRows>
void tile(const TileArgs& a) {
  __m512i acc[kRows][kVectors];
#pragma GCC unroll 4
  for (int j = 0; j < kVectors; ++j) {
    const __m512i start = _mm512_loadu_si512(a.start + j * 16);
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) acc[i][j] = start;
  }
  const std::byte* weights = a.weights;
  for (int t = 0; t < a.tap_count; ++t) {
    const std::byte* x[kRows];
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) x[i] = a.taps[t * a.tap_stride + i];
    const std::int64_t end = std::int64_t{a.groups} * 4;
    std::int64_t c = 0;
    for (; c + 4 < end; c += 8, weights += 2 * kVectors * 64) {
      step<kVectors, kRows>(x, c, weights, acc);
      step<kVectors, kRows>(x, c + 4, weights + kVectors * 64, acc);
    }
    if (c < end) {
      step<kVectors, kRows>(x, c, weights, acc);
      weights += kVectors * 64;
    }
  }
  const EpilogueConstants k = load_constants(*a.epilogue);
  if constexpr (kVectors == 1 && kRows >= 4) {
    if (rows_adjacent(a)) {
#pragma GCC unroll 3
      for (int i = 0; i + 4 <= kRows; i += 4) {
        store_four_rows(acc[i][0], acc[i + 1][0], acc[i + 2][0], acc[i + 3][0], a, k, a.dst + i * a.dst_pitch);
      }
#pragma GCC unroll 3
      for (int i = kRows / 4 * 4; i < kRows; ++i) store_row<kVectors, false>(acc[i], a, i, k);
      return;
    }
  }
  if (a.epilogue->residual == Residual::kNone) {
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) store_row<kVectors, false>(acc[i], a, i, k);
  } else {
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) store_row<kVectors, true>(acc[i], a, i, k);
  }
}

void convert_u8(const std::byte* src, std::byte* dst, std::int64_t count) {
  __builtin_memcpy(dst, src, static_cast<std::size_t>(count));
}

void convert_s8(const std::byte* src, std::byte* dst, std::int64_t count) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
  std::int64_t i = 0;
  for (; i + 64 <= count; i += 64) {
    _mm512_storeu_si512(dst + i, _mm512_xor_si512(_mm512_loadu_si512(src + i), flip));
  }
  if (i < count) {
    const __mmask64 mask = first_bytes(static_cast<int>(count - i));
    _mm512_mask_storeu_epi8(dst + i, mask, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, src + i), flip));
  }
}

}  // namespace

const TileSet kTilesAvx512Vnni = {
    .lanes = 16,
    .max_vectors = 4,
    .group = 4,
    .element_bytes = 1,
    .biased = true,
    .lane_major = false,
    .shuffled = true,
    .rows = {0, 12, 10, 8, 6},
    .fn = {{},
           {nullptr, tile<1, 1>, tile<1, 2>, tile<1, 3>, tile<1, 4>, tile<1, 5>, tile<1, 6>, tile<1, 7>, tile<1, 8>,
            tile<1, 9>, tile<1, 10>, tile<1, 11>, tile<1, 12>},
           {nullptr, tile<2, 1>, tile<2, 2>, tile<2, 3>, tile<2, 4>, tile<2, 5>, tile<2, 6>, tile<2, 7>, tile<2, 8>,
            tile<2, 9>, tile<2, 10>},
           {nullptr, tile<3, 1>, tile<3, 2>, tile<3, 3>, tile<3, 4>, tile<3, 5>, tile<3, 6>, tile<3, 7>, tile<3, 8>},
           {nullptr, tile<4, 1>, tile<4, 2>, tile<4, 3>, tile<4, 4>, tile<4, 5>, tile<4, 6>}},
    .convert_u8 = convert_u8,
    .convert_s8 = convert_s8,
};

}  // namespace gpueval::cpu
#endif
