// SPDX-License-Identifier: Apache-2.0
// Pooling of int8_ops.inl.h: loops that the compiler vectorises, and its vector types where it would not.
#pragma once

#include <type_traits>

#include "cpu/int8/ops_set.h"

namespace gpueval::cpu {
namespace {

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

template <typename S>
inline void sum_taps(const Taps& a, int c0, int count, std::int32_t* __restrict sum) {
  for (int c = 0; c < count; ++c) sum[c] = 0;
  reduce_taps<S>(
      a, c0, count, sum, [](std::int32_t x, std::int32_t y) __attribute__((always_inline)) { return x + y; });
}

// Sums of whole chunks without shuffling bytes: those of even and of odd channels apart, in the halves of 32-bit words.
// Signed sources are summed as x + 128.
using Halves [[gnu::vector_size(kChunk)]] = std::uint16_t;
using Words [[gnu::vector_size(kChunk)]] = std::uint32_t;
using Integers [[gnu::vector_size(kChunk)]] = std::int32_t;
using Floats [[gnu::vector_size(kChunk)]] = float;
constexpr int kMostTaps = 65535 / 255;

struct ChunkSum {
  Halves even = {}, odd = {};

  template <typename S>
  void add(const std::byte* at) {
    Halves x;
    __builtin_memcpy(&x, at, sizeof x);
    if constexpr (S(-1) < S(0)) x ^= 0x8080;
    even += x & 0xff;
    odd += x >> 8;
  }
  void add(const ChunkSum& other) {
    even += other.even;
    odd += other.odd;
  }
  // The sum of channels 4 i + j, times m.
  template <typename S>
  void scaled(int taps, float m, Floats (&values)[4]) const {
    const int bias = S(-1) < S(0) ? 128 * taps : 0;
    const Words pairs[2] = {__builtin_bit_cast(Words, even), __builtin_bit_cast(Words, odd)};
    for (int j = 0; j < 4; ++j) {
      const Words word = j < 2 ? pairs[j] & 0xffff : pairs[j - 2] >> 16;
      values[j] = __builtin_convertvector(__builtin_bit_cast(Integers, word) - bias, Floats) * m;
    }
  }
};

template <typename D>
inline void store_rounded(const Floats (&values)[4], float lo, float hi, D* dst) {
  Words all = {};
  for (int j = 0; j < 4; ++j) {
    Floats v = values[j] > lo ? values[j] : lo;  // as round_clamped()
    v = v < hi ? v : hi;
    all |= (__builtin_bit_cast(Words, v + 12582912.0f) & 0xff) << (8 * j);
  }
  __builtin_memcpy(dst, &all, sizeof all);
}

template <typename S>
inline void add_column(const PoolRow& a, int x, int c0, ChunkSum& sum) {
  if (x < 0 || x >= a.w) return;
  for (int r = 0; r < a.rows; ++r) sum.template add<S>(a.src + r * a.row_bytes + x * a.pixel_bytes + c0);
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

// Calls store(q, taps, c0, count, sum), sum a ChunkSum, or int32 sums in channel order where that is not possible.
template <typename S, typename Store>
inline void for_sums(const PoolRow& a, Store&& store) {
  int c0 = 0;
  if (a.rows * a.kernel_w <= kMostTaps) {
    for (; c0 + kChunk <= a.channels; c0 += kChunk) {
      ChunkSum left, middle;  // columns are summed once for the three outputs of a stride of 1
      const bool slides = a.kernel_w == 3 && a.stride_w == 1;
      if (slides) {
        add_column<S>(a, -a.pad_left, c0, left);
        add_column<S>(a, 1 - a.pad_left, c0, middle);
      }
      for (int q = 0; q < a.q; ++q) {
        const Taps taps(a, q);
        ChunkSum sum;
        if (slides) {
          add_column<S>(a, q + 2 - a.pad_left, c0, sum);
          const ChunkSum right = sum;
          sum.add(left);
          sum.add(middle);
          left = middle;
          middle = right;
        } else {
          for (int r = 0; r < taps.rows; ++r) {
            for (int s = 0; s < taps.cols; ++s)
              sum.template add<S>(reinterpret_cast<const std::byte*>(taps.at<S>(r, s, c0)));
          }
        }
        store(q, taps, c0, kChunk, sum);
      }
    }
  }
  for (; c0 < a.channels; c0 += kChunk) {
    const int count = a.channels - c0 < kChunk ? a.channels - c0 : kChunk;
    for (int q = 0; q < a.q; ++q) {
      const Taps taps(a, q);
      std::int32_t sum[kChunk];
      sum_taps<S>(taps, c0, count, sum);
      store(q, taps, c0, count, sum);
    }
  }
}

// Floats are left as they are, but for -0.
template <typename S, typename D>
void average(const PoolRow& row) {
  const PoolRow a = row;
  for_sums<S>(
      a, [&](int q, const Taps& taps, int c0, int count, const auto& sum) __attribute__((always_inline)) {
        D* dst = reinterpret_cast<D*>(a.dst + q * a.dst_pitch) + c0;
        const float m = a.m[taps.rows * taps.cols - 1];
        if constexpr (std::is_same_v<decltype(sum), const ChunkSum&>) {
          Floats values[4];
          sum.template scaled<S>(taps.rows * taps.cols, m, values);
          if constexpr (std::is_same_v<D, float>) {
            for (int c = 0; c < kChunk; ++c) dst[c] = values[c % 4][c / 4] + 0.0f;
          } else {
            store_rounded(values, a.lo, a.hi, dst);
          }
        } else {
          for (int c = 0; c < count; ++c) {
            const float value = static_cast<float>(sum[c]) * m;
            if constexpr (std::is_same_v<D, float>) {
              dst[c] = value + 0.0f;
            } else {
              dst[c] = round_clamped<D>(value, a.lo, a.hi);
            }
          }
        }
      });
}

}  // namespace
}  // namespace gpueval::cpu
