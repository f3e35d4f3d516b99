// SPDX-License-Identifier: Apache-2.0
// AVX2 tiles: 6 rows x 16 channels in 12 of 16 registers. Source and weights are s16 and multiplied in pairs by
// vpmaddwd: vpmaddubsw would saturate its 16-bit sums on ordinary data.
#if defined(__x86_64__)
#include "cpu/int8/tile_avx2.inl.h"

namespace gpueval::cpu {
namespace {

inline void multiply_add(__m256i& acc, __m256i x, __m256i w) { acc = _mm256_add_epi32(acc, _mm256_madd_epi16(x, w)); }

template <int kVectors, int kRows>
constexpr TileFn tile = tile_of<multiply_add, kVectors, kRows>;

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
