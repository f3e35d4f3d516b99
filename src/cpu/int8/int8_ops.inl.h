// SPDX-License-Identifier: Apache-2.0
// Loops that the compiler vectorises, included by one translation unit per ISA level, which defines GPUEVAL_OPS_SET.
#include "cpu/int8/ops_set.h"

namespace gpueval::cpu {
namespace {

// Functions copy their parameters: bytes written through dst could otherwise alias them, and nothing would vectorise.

constexpr int kChunk = 64;  // channels handled at a time, so that accumulators stay in L1 or registers

// q = rint(min(max(v, lo), hi)), ties to even: adding 1.5 * 2^23 leaves q in the low bits.
template <typename D>
inline D round_clamped(float v, float lo, float hi) {
  v = v > lo ? v : lo;
  v = v < hi ? v : hi;
  return static_cast<D>(__builtin_bit_cast(std::int32_t, v + 12582912.0f));
}

// Calls one(x) or three(x, y, z) for the taps of `count` channels from c0 on: three at a time halve the traffic of the
// accumulators.
template <typename S, typename One, typename Three>
inline void for_taps(const PoolPixel& a, int c0, One&& one, Three&& three) {
  for (int r = 0; r < a.rows; ++r) {
    const std::byte* row = a.src + r * a.row_bytes + c0;
    const auto tap = [&](int s) { return reinterpret_cast<const S*>(row + s * a.pixel_bytes); };
    int s = 0;
    for (; s + 3 <= a.cols; s += 3) three(tap(s), tap(s + 1), tap(s + 2));
    for (; s < a.cols; ++s) one(tap(s));
  }
}

template <typename T>
inline T larger(T a, T b) {
  return a > b ? a : b;
}

template <typename S>
inline void take_maximum(const PoolPixel& a, int c0, int count, S* __restrict best) {
  for (int c = 0; c < count; ++c) best[c] = static_cast<S>(S(-1) > S(0) ? 0 : -128);
  for_taps<S>(
      a, c0,
      [&](const S* x) __attribute__((always_inline)) {
        for (int c = 0; c < count; ++c) best[c] = larger(best[c], x[c]);
      },
      [&](const S* x, const S* y, const S* z) __attribute__((always_inline)) {
        for (int c = 0; c < count; ++c) best[c] = larger(larger(best[c], x[c]), larger(y[c], z[c]));
      });
}

template <typename S, typename Sum>
inline void sum_taps(const PoolPixel& a, int c0, int count, Sum* __restrict sum) {
  for (int c = 0; c < count; ++c) sum[c] = 0;
  for_taps<S>(
      a, c0,
      [&](const S* x) __attribute__((always_inline)) {
        for (int c = 0; c < count; ++c) sum[c] = static_cast<Sum>(sum[c] + x[c]);
      },
      [&](const S* x, const S* y, const S* z) __attribute__((always_inline)) {
        for (int c = 0; c < count; ++c) sum[c] = static_cast<Sum>(sum[c] + x[c] + y[c] + z[c]);
      });
}

// Up to 128 taps the sums fit 16 bits: 128 * 255 < 2^15.
template <typename S>
inline void take_sum(const PoolPixel& a, int c0, int count, std::int32_t* __restrict sum) {
  if (a.rows * a.cols > 128) {
    sum_taps<S>(a, c0, count, sum);
    return;
  }
  std::int16_t narrow[kChunk];
  sum_taps<S>(a, c0, count, narrow);
  for (int c = 0; c < count; ++c) sum[c] = narrow[c];
}

// Whole chunks get their own code, with the count known to the compiler.
template <typename Body>
inline void for_chunks(int channels, Body&& body) {
  int c0 = 0;
  for (; c0 + kChunk <= channels; c0 += kChunk) body(c0, kChunk);
  if (c0 < channels) body(c0, channels - c0);
}

template <typename S, typename D>
void maximum(const PoolPixel& pixel) {
  const PoolPixel a = pixel;
  for_chunks(
      a.channels, [&](int c0, int count) __attribute__((always_inline)) {
        D* dst = reinterpret_cast<D*>(a.dst) + c0;
        S best[kChunk];
        take_maximum<S>(a, c0, count, best);
        if (a.copy) {
          __builtin_memcpy(dst, best, static_cast<std::size_t>(count));
          return;
        }
        for (int c = 0; c < count; ++c) dst[c] = round_clamped<D>(static_cast<float>(best[c]) * a.m, a.lo, a.hi);
      });
}

template <typename S, typename D>
void average(const PoolPixel& pixel) {
  const PoolPixel a = pixel;
  for_chunks(
      a.channels, [&](int c0, int count) __attribute__((always_inline)) {
        D* dst = reinterpret_cast<D*>(a.dst) + c0;
        std::int32_t sum[kChunk];
        take_sum<S>(a, c0, count, sum);
        for (int c = 0; c < count; ++c) dst[c] = round_clamped<D>(static_cast<float>(sum[c]) * a.m, a.lo, a.hi);
      });
}

template <typename S>
void average_f32(const PoolPixel& pixel) {
  const PoolPixel a = pixel;
  for_chunks(
      a.channels, [&](int c0, int count) __attribute__((always_inline)) {
        float* dst = reinterpret_cast<float*>(a.dst) + c0;
        std::int32_t sum[kChunk];
        take_sum<S>(a, c0, count, sum);
        for (int c = 0; c < count; ++c) dst[c] = static_cast<float>(sum[c]) * a.m + 0.0f;
      });
}

template <typename A, typename B, typename D>
void add(const ElementRun& caller) {
  const ElementRun run = caller;  // or the byte stores below could change it, and nothing would vectorise
  const A* __restrict a = reinterpret_cast<const A*>(run.a);
  const B* __restrict b = reinterpret_cast<const B*>(run.b);
  D* dst = reinterpret_cast<D*>(run.dst);
  for (std::int64_t i = 0; i < run.count; ++i) {
    const float second = static_cast<float>(b[i]) * run.m2;
    dst[i] = round_clamped<D>(__builtin_fmaf(static_cast<float>(a[i]), run.m1, second), run.lo, run.hi);
  }
}

template <typename S, typename D>
void requantize(const ElementRun& caller) {
  const ElementRun run = caller;  // or the byte stores below could change it, and nothing would vectorise
  const S* a = reinterpret_cast<const S*>(run.a);
  D* dst = reinterpret_cast<D*>(run.dst);
  for (std::int64_t i = 0; i < run.count; ++i) {
    dst[i] = round_clamped<D>(static_cast<float>(a[i]) * run.m1, run.lo, run.hi);
  }
}

// x / scale, correctly rounded, without the slow division: y = 1 / scale, then two steps of q += (x - q * scale) * y
// with exact remainders (Markstein 1990). Scales outside [2^-60, 2^60], where a remainder could underflow in a quotient
// that matters, are divided.
template <typename D>
void quantize(const ElementRun& caller) {
  const ElementRun run = caller;  // or the byte stores below could change it, and nothing would vectorise
  const float* a = reinterpret_cast<const float*>(run.a);
  D* __restrict dst = reinterpret_cast<D*>(run.dst);
  const float scale = run.m1;
#if defined(__FMA__)
  if (scale >= 0x1p-60f && scale <= 0x1p60f) {
    const float y = 1.0f / scale, most = 1024.0f * scale;  // beyond that every type saturates
    for (std::int64_t i = 0; i < run.count; ++i) {
      float x = a[i] > -most ? a[i] : -most;
      x = x < most ? x : most;
      float q = x * y;
      q = __builtin_fmaf(__builtin_fmaf(-q, scale, x), y, q);
      q = __builtin_fmaf(__builtin_fmaf(-q, scale, x), y, q);
      dst[i] = round_clamped<D>(q, run.lo, run.hi);
    }
    return;
  }
#endif
  for (std::int64_t i = 0; i < run.count; ++i) dst[i] = round_clamped<D>(a[i] / scale, run.lo, run.hi);
}

// Magnitudes of floats order as their bits do; integers may be compared in any order, so this vectorises.
float max_abs(const float* values, std::int64_t count) {
  std::int32_t best = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int32_t bits = __builtin_bit_cast(std::int32_t, values[i]) & 0x7fffffff;
    best = best > bits ? best : bits;
  }
  return __builtin_bit_cast(float, best);
}

using U = std::uint8_t;
using S = std::int8_t;

}  // namespace

const OpsSet GPUEVAL_OPS_SET = {
    .maximum = {{maximum<U, U>, maximum<U, S>}, {maximum<S, U>, maximum<S, S>}},
    .average = {{average<U, U>, average<U, S>}, {average<S, U>, average<S, S>}},
    .average_f32 = {average_f32<U>, average_f32<S>},
    .add = {{{add<U, U, U>, add<U, U, S>}, {add<U, S, U>, add<U, S, S>}},
            {{add<S, U, U>, add<S, U, S>}, {add<S, S, U>, add<S, S, S>}}},
    .requantize = {{requantize<U, U>, requantize<U, S>}, {requantize<S, U>, requantize<S, S>}},
    .quantize = {quantize<U>, quantize<S>},
    .max_abs = max_abs,
};

}  // namespace gpueval::cpu
