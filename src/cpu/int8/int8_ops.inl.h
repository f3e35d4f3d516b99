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

// The taps of one output pixel that are inside the image: rows x cols source pixels.
struct Taps {
  const std::byte* src;
  int rows, cols;
  std::int64_t row_bytes, pixel_bytes;

  Taps(const PoolRow& a, int q) : rows(a.rows), row_bytes(a.row_bytes), pixel_bytes(a.pixel_bytes) {
    const int start = q * a.stride_w - a.pad_left, end = start + a.kernel_w;
    const int first = start > 0 ? start : 0, past = end < a.w ? end : a.w;
    src = a.src + first * pixel_bytes;
    cols = past > first ? past - first : 0;
  }
  template <typename S>
  const S* at(int r, int s, int c0) const {
    return reinterpret_cast<const S*>(src + r * row_bytes + s * pixel_bytes + c0);
  }
};

// acc[c] = reduce(acc[c], x[c]) over all taps. Three at a time spare traffic of the accumulators; nine need none.
template <typename S, typename Acc, typename Reduce>
inline void reduce_taps(const Taps& a, int c0, int count, Acc* __restrict acc, Reduce&& reduce) {
  if (a.rows == 3 && a.cols == 3) {
    const S *x0 = a.at<S>(0, 0, c0), *x1 = a.at<S>(0, 1, c0), *x2 = a.at<S>(0, 2, c0);
    const S *x3 = a.at<S>(1, 0, c0), *x4 = a.at<S>(1, 1, c0), *x5 = a.at<S>(1, 2, c0);
    const S *x6 = a.at<S>(2, 0, c0), *x7 = a.at<S>(2, 1, c0), *x8 = a.at<S>(2, 2, c0);
    for (int c = 0; c < count; ++c) {
      const Acc top = reduce(reduce(Acc{x0[c]}, Acc{x1[c]}), Acc{x2[c]});
      const Acc middle = reduce(reduce(Acc{x3[c]}, Acc{x4[c]}), Acc{x5[c]});
      const Acc bottom = reduce(reduce(Acc{x6[c]}, Acc{x7[c]}), Acc{x8[c]});
      acc[c] = reduce(reduce(acc[c], top), reduce(middle, bottom));
    }
    return;
  }
  for (int r = 0; r < a.rows; ++r) {
    int s = 0;
    for (; s + 3 <= a.cols; s += 3) {
      const S *x = a.at<S>(r, s, c0), *y = a.at<S>(r, s + 1, c0), *z = a.at<S>(r, s + 2, c0);
      for (int c = 0; c < count; ++c) acc[c] = reduce(reduce(acc[c], Acc{x[c]}), reduce(Acc{y[c]}, Acc{z[c]}));
    }
    for (; s < a.cols; ++s) {
      const S* x = a.at<S>(r, s, c0);
      for (int c = 0; c < count; ++c) acc[c] = reduce(acc[c], Acc{x[c]});
    }
  }
}

template <typename Sum, typename S>
inline void sum_taps(const Taps& a, int c0, int count, Sum* __restrict sum) {
  for (int c = 0; c < count; ++c) sum[c] = 0;
  reduce_taps<S>(
      a, c0, count, sum, [](Sum x, Sum y) __attribute__((always_inline)) { return static_cast<Sum>(x + y); });
}

// Up to 128 taps the sums fit 16 bits: 128 * 255 < 2^15.
template <typename S>
inline void take_sum(const Taps& a, int c0, int count, std::int32_t* __restrict sum) {
  if (a.rows * a.cols > 128) {
    sum_taps<std::int32_t, S>(a, c0, count, sum);
    return;
  }
  std::int16_t narrow[kChunk];
  sum_taps<std::int16_t, S>(a, c0, count, narrow);
  for (int c = 0; c < count; ++c) sum[c] = narrow[c];
}

// Calls body(taps, c0, count, dst) for every pixel's chunks of channels. Whole chunks get their own code,
// with the count known to the compiler.
template <typename D, typename Body>
inline void for_chunks(const PoolRow& a, Body&& body) {
  for (int q = 0; q < a.q; ++q) {
    const Taps taps(a, q);
    D* dst = reinterpret_cast<D*>(a.dst + q * a.dst_pitch);
    int c0 = 0;
    for (; c0 + kChunk <= a.channels; c0 += kChunk) body(taps, c0, kChunk, dst + c0);
    if (c0 < a.channels) body(taps, c0, a.channels - c0, dst + c0);
  }
}

inline float factor(const PoolRow& a, const Taps& taps) { return a.m[taps.rows * taps.cols - 1]; }

template <typename S, typename D>
void maximum(const PoolRow& row) {
  const PoolRow a = row;
  const float m = *a.m;
  for_chunks<D>(
      a, [&](const Taps& taps, int c0, int count, D* dst) __attribute__((always_inline)) {
        S best[kChunk];
        for (int c = 0; c < count; ++c) best[c] = static_cast<S>(S(-1) > S(0) ? 0 : -128);
        reduce_taps<S>(
            taps, c0, count, best, [](S x, S y) __attribute__((always_inline)) { return x > y ? x : y; });
        if (a.copy) {
          __builtin_memcpy(dst, best, static_cast<std::size_t>(count));
          return;
        }
        for (int c = 0; c < count; ++c) dst[c] = round_clamped<D>(static_cast<float>(best[c]) * m, a.lo, a.hi);
      });
}

template <typename S, typename D>
void average(const PoolRow& row) {
  const PoolRow a = row;
  for_chunks<D>(
      a, [&](const Taps& taps, int c0, int count, D* dst) __attribute__((always_inline)) {
        const float m = factor(a, taps);
        std::int32_t sum[kChunk];
        take_sum<S>(taps, c0, count, sum);
        for (int c = 0; c < count; ++c) dst[c] = round_clamped<D>(static_cast<float>(sum[c]) * m, a.lo, a.hi);
      });
}

template <typename S>
void average_f32(const PoolRow& row) {
  const PoolRow a = row;
  for_chunks<float>(
      a, [&](const Taps& taps, int c0, int count, float* dst) __attribute__((always_inline)) {
        const float m = factor(a, taps);
        std::int32_t sum[kChunk];
        take_sum<S>(taps, c0, count, sum);
        for (int c = 0; c < count; ++c) dst[c] = static_cast<float>(sum[c]) * m + 0.0f;
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
