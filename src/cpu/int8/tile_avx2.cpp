// SPDX-License-Identifier: Apache-2.0
// AVX2 tiles: 6 rows x 16 channels in 12 of 16 registers. Source and weights are s16 and multiplied in pairs by
// vpmaddwd: vpmaddubsw would saturate its 16-bit sums on ordinary data.
#if defined(__x86_64__)
#include "cpu/int8/epilogue_avx2.h"
#include "cpu/int8/tile.h"

namespace gpueval::cpu {
namespace {

template <int kVectors, int kRows>
void tile(const TileArgs& a) {
  __m256i acc[kRows][kVectors];
#pragma GCC unroll 2
  for (int j = 0; j < kVectors; ++j) {
    const __m256i start = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a.start + j * 8));
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) acc[i][j] = start;
  }
  const std::byte* weights = a.weights;
  for (int t = 0; t < a.tap_count; ++t) {
    const std::byte* x[kRows];
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) x[i] = a.taps[t * a.tap_stride + i];
    const std::int64_t end = std::int64_t{a.groups} * 4;
    for (std::int64_t c = 0; c < end; c += 4) {
      __m256i w[kVectors];
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) w[j] = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + j * 32));
      weights += kVectors * 32;
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
        int pair;
        __builtin_memcpy(&pair, x[i] + c, 4);
        const __m256i v = _mm256_set1_epi32(pair);
#pragma GCC unroll 2
        for (int j = 0; j < kVectors; ++j) acc[i][j] = _mm256_add_epi32(acc[i][j], _mm256_madd_epi16(v, w[j]));
      }
    }
  }
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      const int left = a.channels - j * 8;
      if (left <= 0) break;
      store_vector(acc[i][j], a.m + j * 8, a.b + j * 8,
                   a.residual ? a.residual + i * a.residual_pitch + j * 8 : nullptr, *a.epilogue, left < 8 ? left : 8,
                   a.dst + i * a.dst_pitch + j * 8 * bytes);
    }
  }
}

template <typename T>
void convert(const std::byte* src, std::byte* dst, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(src + i));
    const __m256i wide = T(-1) < T(0) ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + 2 * i), wide);
  }
  for (; i < count; ++i) {
    const auto wide = static_cast<std::int16_t>(static_cast<T>(src[i]));
    __builtin_memcpy(dst + 2 * i, &wide, 2);
  }
}

}  // namespace

const TileSet kTilesAvx2 = {
    .lanes = 8,
    .max_vectors = 2,
    .group = 2,
    .element_bytes = 2,
    .biased = false,
    .lane_major = false,
    .shuffled = false,
    .rows = {0, 8, 6, 0, 0},
    .fn = {{},
           {nullptr, tile<1, 1>, tile<1, 2>, tile<1, 3>, tile<1, 4>, tile<1, 5>, tile<1, 6>, tile<1, 7>, tile<1, 8>},
           {nullptr, tile<2, 1>, tile<2, 2>, tile<2, 3>, tile<2, 4>, tile<2, 5>, tile<2, 6>},
           {},
           {}},
    .convert_u8 = convert<std::uint8_t>,
    .convert_s8 = convert<std::int8_t>,
};

}  // namespace gpueval::cpu
#endif
