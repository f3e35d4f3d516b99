// SPDX-License-Identifier: Apache-2.0
// AVX-512: eight rows of weights go by together, so that the sums, which stay in dst and in the first-level cache, are
// loaded and stored once for eight multiply-adds, and eight streams from memory are read at once. Two vectors of each
// row share the broadcast inputs: 10 loads for 16 multiply-adds, so that the two multiply-add ports are the limit where
// memory is not. Each sum still adds one product after the other.
#if defined(__x86_64__)
#include <immintrin.h>

#include "cpu/float32/dense_tile.h"

namespace gpueval::cpu {
namespace {

constexpr int kVector = 16;

// The rows from c on, kCount of them; x: their inputs, of one image after the other.
template <int kCount>
void add_rows(const DenseTileArgs& a, int c) {
  const float* weights = a.weights + c * a.weights_stride;
  const float* next = weights + kCount * a.weights_stride;  // prefetching behind the end does no harm
  for (int k = 0; k < a.channels; k += kDenseChannels) {
    __m512 w[kCount][2];
#pragma GCC unroll 8
    for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 2
      for (int j = 0; j < 2; ++j) {
        w[r][j] = _mm512_loadu_ps(weights + r * a.weights_stride + k + j * kVector);
        _mm_prefetch(next + r * a.weights_stride + k + j * kVector, _MM_HINT_T0);
      }
    }
    const float* x = a.src + static_cast<std::int64_t>(c) * a.images;
    float* dst = a.dst + k;
    for (int i = 0; i < a.images; ++i, x += kCount, dst += a.dst_stride) {
      __m512 sum[2] = {_mm512_loadu_ps(dst), _mm512_loadu_ps(dst + kVector)};
#pragma GCC unroll 8
      for (int r = 0; r < kCount; ++r) {
        const __m512 v = _mm512_set1_ps(x[r]);
#pragma GCC unroll 2
        for (int j = 0; j < 2; ++j) sum[j] = _mm512_fmadd_ps(v, w[r][j], sum[j]);
      }
      _mm512_storeu_ps(dst, sum[0]);
      _mm512_storeu_ps(dst + kVector, sum[1]);
    }
  }
}

// Fewer than kDenseRows are left.
template <int kCount>
void add_last_rows(const DenseTileArgs& a, int c) {
  if constexpr (kCount > 0) {
    if (a.depth - c == kCount)
      add_rows<kCount>(a, c);
    else
      add_last_rows<kCount - 1>(a, c);
  }
}

}  // namespace

void dense_avx512(const DenseTileArgs& a) {
  for (int i = 0; i < a.images; ++i) {
    for (int k = 0; k < a.channels; k += kVector) {
      _mm512_storeu_ps(a.dst + i * a.dst_stride + k, _mm512_loadu_ps(a.bias + k));
    }
  }
  int c = 0;
  for (; c + kDenseRows <= a.depth; c += kDenseRows) add_rows<kDenseRows>(a, c);
  add_last_rows<kDenseRows - 1>(a, c);
  const __m512 lo = _mm512_set1_ps(a.lo), hi = _mm512_set1_ps(a.hi);
  for (int i = 0; i < a.images; ++i) {
    for (int k = 0; k < a.channels; k += kVector) {
      float* dst = a.dst + i * a.dst_stride + k;
      // In this order of operands a NaN stays one.
      _mm512_storeu_ps(dst, _mm512_min_ps(hi, _mm512_max_ps(lo, _mm512_loadu_ps(dst))));
    }
  }
}

}  // namespace gpueval::cpu
#endif
