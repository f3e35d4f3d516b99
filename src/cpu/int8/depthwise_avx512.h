// SPDX-License-Identifier: Apache-2.0
// Shared by the AVX-512 depthwise kernels. Only for translation units with AVX-512 flags.
#pragma once

#include "cpu/int8/depthwise_row.h"
#include "cpu/int8/epilogue_avx512.h"

namespace gpueval::cpu {

void depthwise_general_row_avx512(const DepthwiseRow& row);  // any kernel
void depthwise_row_pair_avx512(const DepthwiseRow& row);
void depthwise_flat_row_pair_avx512(const DepthwiseRow& row);

namespace {

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

struct Source {
  __m512i flip;    // 0x80 turns s8 into s8 + 128
  __m512i pad;     // what lies outside the image,
  __m512i padded;  // and turned over

  explicit Source(const DepthwiseRow& a)
      : flip(a.src_s8 ? _mm512_set1_epi8(static_cast<char>(0x80)) : _mm512_setzero_si512()),
        pad(_mm512_set1_epi8(static_cast<char>(a.pad))),
        padded(_mm512_xor_si512(pad, flip)) {}
  __m512i load(const std::byte* at, __mmask64 mask) const {
    return _mm512_xor_si512(_mm512_mask_loadu_epi8(pad, mask, at), flip);
  }
};

// Rows r0 .. r0 + 3 of a kernel column at byte offset `offset` of the source rows.
inline Column load_column(const DepthwiseRow& a, const Source& source, int r0, std::int64_t offset, __mmask64 mask) {
  __m512i tap[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const std::byte* row = r0 + i < a.kernel_h ? a.rows[r0 + i] : nullptr;
    tap[i] = row != nullptr ? source.load(row + offset, mask) : source.padded;
  }
  return interleave(tap[0], tap[1], tap[2], tap[3]);
}

inline void store(const __m512i* acc, const DepthwiseRow& a, std::int64_t dst, std::int64_t residual, int c0, int count,
                  const EpilogueConstants& k) {
  const Epilogue& e = *a.epilogue;
  if (e.residual == Residual::kNone) {
    store_shuffled<false>(acc, a.m + c0, a.b + c0, nullptr, e, k, count, a.dst + dst);
  } else {
    store_shuffled<true>(acc, a.m + c0, a.b + c0, a.residual + residual, e, k, count, a.dst + dst);
  }
}

inline void load_start(const std::int32_t* start, __m512i* acc) {
#pragma GCC unroll 4
  for (int v = 0; v < 4; ++v) acc[v] = _mm512_loadu_si512(start + v * 16);
}

}  // namespace
}  // namespace gpueval::cpu
