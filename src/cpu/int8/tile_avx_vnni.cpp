// SPDX-License-Identifier: Apache-2.0
// AVX-VNNI tiles: vpdpbusd on 256-bit registers, for CPUs that have it without AVX-512. 6 rows x 16 channels in 12 of
// 16 registers, 12 rows x 8 where there are no more channels: fewer sums would wait for vpdpbusd's latency. s8 sources
// come as x + 128; the accumulators start at -128 * sum(w).
#if defined(GPUEVAL_AVX_VNNI)
#include "cpu/int8/tile_avx2.inl.h"

namespace gpueval::cpu {
namespace {

// Not the intrinsic: g++ 12 copies its accumulator.
inline void multiply_add(__m256i& acc, __m256i x, __m256i w) {
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(x), "x"(w));
}

template <int kVectors, int kRows>
constexpr TileFn tile = tile_of<multiply_add, kVectors, kRows>;

void convert_u8(const std::byte* src, std::byte* dst, std::int64_t count) {
  __builtin_memcpy(dst, src, static_cast<std::size_t>(count));
}

void convert_s8(const std::byte* src, std::byte* dst, std::int64_t count) {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(0x80));
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + i), _mm256_xor_si256(bytes, flip));
  }
  for (; i < count; ++i) dst[i] = src[i] ^ std::byte{0x80};
}

}  // namespace

const TileSet kTilesAvxVnni = {
    .lanes = 8,
    .max_vectors = 2,
    .group = 4,
    .element_bytes = 1,
    .biased = true,
    .lane_major = false,
    .shuffled = false,
    .rows = {0, 12, 6, 0, 0},
    .fn = {{},
           {nullptr, tile<1, 1>, tile<1, 2>, tile<1, 3>, tile<1, 4>, tile<1, 5>, tile<1, 6>, tile<1, 7>, tile<1, 8>,
            tile<1, 9>, tile<1, 10>, tile<1, 11>, tile<1, 12>},
           {nullptr, tile<2, 1>, tile<2, 2>, tile<2, 3>, tile<2, 4>, tile<2, 5>, tile<2, 6>},
           {},
           {}},
    .convert_u8 = convert_u8,
    .convert_s8 = convert_s8,
};

}  // namespace gpueval::cpu
#endif
