// SPDX-License-Identifier: Apache-2.0
// Shared by the AVX-512 depthwise kernels. Only for translation units with AVX-512 flags.
#pragma once

#include "cpu/int8/depthwise_row.h"
#include "cpu/int8/epilogue_avx512.h"

namespace gpueval::cpu {

void depthwise_row_pair_avx512(const DepthwiseRow& row);
void depthwise_flat_row_pair_avx512(const DepthwiseRow& row);

namespace {

alignas(64) constexpr std::byte kZeros[64] = {};

struct Column {
  __m512i v[4];
};

inline Column interleave(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i ab0 = _mm512_unpacklo_epi8(a, b), ab1 = _mm512_unpackhi_epi8(a, b);
  const __m512i cd0 = _mm512_unpacklo_epi8(c, d), cd1 = _mm512_unpackhi_epi8(c, d);
  return {{_mm512_unpacklo_epi16(ab0, cd0), _mm512_unpackhi_epi16(ab0, cd0), _mm512_unpacklo_epi16(ab1, cd1),
           _mm512_unpackhi_epi16(ab1, cd1)}};
}

inline void multiply(__m512i* acc, const Column& column, const std::byte* weights) {
#pragma GCC unroll 4
  for (int v = 0; v < 4; ++v) multiply_add(acc[v], column.v[v], _mm512_load_si512(weights + v * 64));
}

// Lanes [0, 64) whose bytes offset + lane lie in [0, size).
inline __mmask64 inside(std::int64_t offset, std::int64_t size) {
  const std::int64_t from = offset < 0 ? -offset : 0;
  const std::int64_t to = size - offset < 64 ? size - offset : 64;
  if (from >= to) return 0;
  return (~__mmask64{0} << from) & (~__mmask64{0} >> (64 - to));
}

}  // namespace
}  // namespace gpueval::cpu
