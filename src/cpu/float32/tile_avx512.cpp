// SPDX-License-Identifier: Apache-2.0
// AVX-512 float32 tiles: up to 14 pixels x 32 channels are 28 accumulators; with two registers of weights and one
// broadcast they fill the register file. An element of depth costs 16 loads for 28 multiply-adds, so that the two
// multiply-add ports are the limit, and the weights (128 bytes in 14 cycles) may come from the L2 cache.
#if defined(__x86_64__)
#include <immintrin.h>

#include "cpu/float32/tile.h"

namespace gpueval::cpu {
namespace {

// Byte offsets of seven pixels from three registers, by the address modes x1, x2, x4.
struct Offsets {
  std::int64_t one, three, five;
  template <int kRow>
  [[gnu::always_inline]] std::int64_t of() const {
    if constexpr (kRow == 0) return 0;
    if constexpr (kRow == 1 || kRow == 2 || kRow == 4) return one * kRow;
    if constexpr (kRow == 3 || kRow == 6) return three * (kRow / 3);
    return five;
  }
};

template <int kVectors, int kRows, int kRow>
[[gnu::always_inline]] inline void multiply_rows(const std::byte* x, const Offsets& at, const __m512* w,
                                                 __m512 (*acc)[kVectors]) {
  if constexpr (kRow < kRows) {
    const __m512 v = _mm512_set1_ps(*reinterpret_cast<const float*>(x + at.of<kRow>()));
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) acc[kRow][j] = _mm512_fmadd_ps(v, w[j], acc[kRow][j]);
    multiply_rows<kVectors, kRows, kRow + 1>(x, at, w, acc);
  }
}

// One element of depth.
template <int kVectors, int kHalves, int kRows>
[[gnu::always_inline]] inline void step(const std::byte* const* x, int element, const Offsets& at, const float* weights,
                                        __m512 (*acc)[kVectors]) {
  __m512 w[kVectors];
#pragma GCC unroll 2
  for (int j = 0; j < kVectors; ++j) w[j] = _mm512_load_ps(weights + (element * kVectors + j) * kFloatLanes);
#pragma GCC unroll 2
  for (int h = 0; h < kHalves; ++h) {
    multiply_rows<kVectors, kRows, 0>(x[h] + element * 4, at, w, acc + h * kRows);
  }
}

template <int kVectors, int kHalves, int kRows>
inline void store(const FloatTileArgs& a, __m512 (*acc)[kVectors]) {
  const __m512 lo = _mm512_set1_ps(a.lo), hi = _mm512_set1_ps(a.hi);
  __mmask16 mask[kVectors];
  for (int j = 0; j < kVectors; ++j) {
    const int lanes = a.channels - j * kFloatLanes;
    mask[j] = static_cast<__mmask16>(lanes >= kFloatLanes ? 0xffff : (1 << (lanes > 0 ? lanes : 0)) - 1);
  }
#pragma GCC unroll 2
  for (int h = 0; h < kHalves; ++h) {
#pragma GCC unroll 7
    for (int i = 0; i < kRows; ++i) {
      auto* dst = reinterpret_cast<float*>(a.dst[h] + i * a.dst_stride);
      const auto* residual = reinterpret_cast<const float*>(a.residual[h] + i * a.residual_stride);
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) {
        __m512 v = acc[h * kRows + i][j];
        if (a.residual[0] != nullptr) {
          v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask[j], residual + j * kFloatLanes));
        }
        // In this order of operands a NaN stays one.
        _mm512_mask_storeu_ps(dst + j * kFloatLanes, mask[j], _mm512_min_ps(hi, _mm512_max_ps(lo, v)));
      }
    }
  }
}

template <int kVectors, int kHalves, int kRows>
void tile(const FloatTileArgs& a) {
  __m512 acc[kHalves * kRows][kVectors];
#pragma GCC unroll 2
  for (int j = 0; j < kVectors; ++j) {
    const __m512 bias = _mm512_loadu_ps(a.bias + j * kFloatLanes);
#pragma GCC unroll 14
    for (int i = 0; i < kHalves * kRows; ++i) acc[i][j] = bias;
  }
  const Offsets at{a.src_stride, 3 * a.src_stride, 5 * a.src_stride};
  const float* weights = a.weights;
  const float* ahead = a.ahead;
  for (int run = 0; run < a.runs; ++run) {
    const std::byte* x[kHalves];
#pragma GCC unroll 2
    for (int h = 0; h < kHalves; ++h) x[h] = a.src[h] + run * a.run_stride;
    int left = a.run_length;
    for (; left >= 4; left -= 4) {
      for (int line = 0; line < a.ahead_lines; ++line, ahead += 16) _mm_prefetch(ahead, _MM_HINT_T1);
#pragma GCC unroll 4
      for (int e = 0; e < 4; ++e) step<kVectors, kHalves, kRows>(x, e, at, weights, acc);
      weights += 4 * kVectors * kFloatLanes;
#pragma GCC unroll 2
      for (int h = 0; h < kHalves; ++h) x[h] += 16;
    }
    for (; left > 0; --left) {
      step<kVectors, kHalves, kRows>(x, 0, at, weights, acc);
      weights += kVectors * kFloatLanes;
#pragma GCC unroll 2
      for (int h = 0; h < kHalves; ++h) x[h] += 4;
    }
  }
  store<kVectors, kHalves, kRows>(a, acc);
}

}  // namespace

#define GPUEVAL_TILES(vectors, halves)                                                                      \
  {                                                                                                         \
    tile<vectors, halves, 1>, tile<vectors, halves, 2>, tile<vectors, halves, 3>, tile<vectors, halves, 4>, \
        tile<vectors, halves, 5>, tile<vectors, halves, 6>, tile<vectors, halves, 7>                        \
  }
const FloatTileFn kFloatTilesAvx512[kFloatVectors][2][kHalfRows] = {{GPUEVAL_TILES(1, 1), GPUEVAL_TILES(1, 2)},
                                                                    {GPUEVAL_TILES(2, 1), GPUEVAL_TILES(2, 2)}};
#undef GPUEVAL_TILES

}  // namespace gpueval::cpu
#endif
