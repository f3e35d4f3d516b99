// SPDX-License-Identifier: Apache-2.0
// The transforms of Winograd's F(4x4, 3x3), 16 channels at a time: columns first into a 36-vector scratch on the
// stack, then rows.
#if defined(__x86_64__)
#include <immintrin.h>

#include "cpu/float32/winograd_tile.h"

namespace gpueval::cpu {
namespace {

constexpr int kLanes = 16;

[[gnu::always_inline]] inline __m512 times(float factor, __m512 x) { return _mm512_mul_ps(_mm512_set1_ps(factor), x); }
[[gnu::always_inline]] inline __m512 fma(float factor, __m512 x, __m512 y) {
  return _mm512_fmadd_ps(_mm512_set1_ps(factor), x, y);
}

constexpr float kSmall = kWinogradSmall, kLarge = kWinogradLarge, kSmall2 = kSmall * kSmall, kLarge2 = kLarge * kLarge;

// B' d.
[[gnu::always_inline]] inline void input_line(const __m512* d, __m512* out) {
  const __m512 even = fma(-kLarge2, d[2], d[4]), odd = times(kSmall, fma(-kLarge2, d[1], d[3]));
  const __m512 even2 = fma(-kSmall2, d[2], d[4]), odd2 = times(kLarge, fma(-kSmall2, d[1], d[3]));
  out[0] = fma(kSmall2 * kLarge2, d[0], fma(-kSmall2 - kLarge2, d[2], d[4]));
  out[1] = _mm512_add_ps(even, odd);
  out[2] = _mm512_sub_ps(even, odd);
  out[3] = _mm512_add_ps(even2, odd2);
  out[4] = _mm512_sub_ps(even2, odd2);
  out[5] = fma(kSmall2 * kLarge2, d[1], fma(-kSmall2 - kLarge2, d[3], d[5]));
}

// A' m.
[[gnu::always_inline]] inline void output_line(const __m512* m, __m512* out) {
  const __m512 sum1 = _mm512_add_ps(m[1], m[2]), difference1 = _mm512_sub_ps(m[1], m[2]);
  const __m512 sum2 = _mm512_add_ps(m[3], m[4]), difference2 = _mm512_sub_ps(m[3], m[4]);
  out[0] = _mm512_add_ps(_mm512_add_ps(m[0], sum1), sum2);
  out[1] = fma(kLarge, difference2, times(kSmall, difference1));
  out[2] = fma(kLarge2, sum2, times(kSmall2, sum1));
  out[3] = fma(kLarge2 * kLarge, difference2, fma(kSmall2 * kSmall, difference1, m[5]));
}

}  // namespace

void winograd_input_avx512(const WinogradInput& a) {
  const std::int64_t row_floats = std::int64_t{a.w} * a.channels;
  for (int c = 0; c < a.channels; c += kLanes) {
    __m512 columns[kWinogradIn][kWinogradIn];  // [row of points][column]
    for (int j = 0; j < kWinogradIn; ++j) {
      __m512 d[kWinogradIn], line[kWinogradIn];
      const int x = a.x + j;
      const bool inside = x >= 0 && x < a.w;
#pragma GCC unroll 6
      for (int i = 0; i < kWinogradIn; ++i) {
        const int y = a.y + i;
        d[i] = inside && y >= 0 && y < a.h
                   ? _mm512_loadu_ps(a.image + y * row_floats + std::int64_t{x} * a.channels + c)
                   : _mm512_setzero_ps();
      }
      input_line(d, line);
#pragma GCC unroll 6
      for (int i = 0; i < kWinogradIn; ++i) columns[i][j] = line[i];
    }
    float* to = a.points + c;
    for (int i = 0; i < kWinogradIn; ++i) {
      __m512 line[kWinogradIn];
      input_line(columns[i], line);
#pragma GCC unroll 6
      for (int j = 0; j < kWinogradIn; ++j, to += a.point_stride) _mm512_storeu_ps(to, line[j]);
    }
  }
}

void winograd_output_avx512(const WinogradOutput& a) {
  const __m512 lo = _mm512_set1_ps(a.lo), hi = _mm512_set1_ps(a.hi);
  const int rows = a.p - a.y < kWinogradOut ? a.p - a.y : kWinogradOut;
  const int width = a.q - a.x < kWinogradOut ? a.q - a.x : kWinogradOut;
  for (int c = 0; c < a.channels; c += kLanes) {
    __m512 columns[kWinogradOut][kWinogradIn];  // [output row][column of points]
    for (int j = 0; j < kWinogradIn; ++j) {
      __m512 m[kWinogradIn], line[kWinogradOut];
      const float* from = a.points + j * a.point_stride + c;
#pragma GCC unroll 6
      for (int i = 0; i < kWinogradIn; ++i) m[i] = _mm512_loadu_ps(from + i * kWinogradIn * a.point_stride);
      output_line(m, line);
#pragma GCC unroll 4
      for (int i = 0; i < kWinogradOut; ++i) columns[i][j] = line[i];
    }
    const __m512 bias = _mm512_loadu_ps(a.bias + c);
    for (int i = 0; i < rows; ++i) {
      __m512 line[kWinogradOut];
      output_line(columns[i], line);
      const std::int64_t at = ((a.y + i) * std::int64_t{a.q} + a.x) * a.channels + c;
#pragma GCC unroll 4
      for (int j = 0; j < kWinogradOut; ++j) {
        if (j >= width) break;
        __m512 v = _mm512_add_ps(line[j], bias);
        if (a.residual != nullptr) v = _mm512_add_ps(v, _mm512_loadu_ps(a.residual + at + j * a.channels));
        // In this order of operands a NaN stays one.
        _mm512_storeu_ps(a.image + at + j * a.channels, _mm512_min_ps(hi, _mm512_max_ps(lo, v)));
      }
    }
  }
}

}  // namespace gpueval::cpu
#endif
