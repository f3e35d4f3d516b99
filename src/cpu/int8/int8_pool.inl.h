// SPDX-License-Identifier: Apache-2.0
// Pooling of int8_ops.inl.h: loops that the compiler vectorises, and its vector types where it would not.
#pragma once

#include <type_traits>

#include "cpu/int8/ops_set.h"

namespace gpueval::cpu {
namespace {

constexpr int kChunk = 64;  // channels handled at a time, so that accumulators stay in L1 or registers

// The byte of q = rint(min(max(v, lo), hi)), ties to even: adding 1.5 * 2^23 leaves q in the low bits.
inline std::uint8_t round_clamped(float v, float lo, float hi) {
  v = v > lo ? v : lo;
  v = v < hi ? v : hi;
  return static_cast<std::uint8_t>(__builtin_bit_cast(std::int32_t, v + 12582912.0f));
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

// Of N bytes. No template: gcc 12 takes an attribute that depends on a parameter for its absence.
template <int N>
struct Vectors;
#define GPUEVAL_VECTORS(bytes)                                 \
  template <>                                                  \
  struct Vectors<bytes> {                                      \
    using Signed [[gnu::vector_size(bytes)]] = std::int8_t;    \
    using Unsigned [[gnu::vector_size(bytes)]] = std::uint8_t; \
    using Halves [[gnu::vector_size(bytes)]] = std::uint16_t;  \
    using Words [[gnu::vector_size(bytes)]] = std::uint32_t;   \
    using Integers [[gnu::vector_size(bytes)]] = std::int32_t; \
    using Floats [[gnu::vector_size(bytes)]] = float;          \
  };
GPUEVAL_VECTORS(64)
GPUEVAL_VECTORS(32)
GPUEVAL_VECTORS(16)
GPUEVAL_VECTORS(8)
#undef GPUEVAL_VECTORS
template <typename S, int N>
using Bytes =
    std::conditional_t<std::is_same_v<S, std::int8_t>, typename Vectors<N>::Signed, typename Vectors<N>::Unsigned>;

// Sums of N channels without shuffling bytes: those of even and of odd channels apart, in the halves of 32-bit words.
// Signed sources are summed as x + 128.
template <int N>
struct ChunkSum {
  using Halves = typename Vectors<N>::Halves;
  using Words = typename Vectors<N>::Words;
  using Integers = typename Vectors<N>::Integers;
  using Floats = typename Vectors<N>::Floats;
  static constexpr int kChannels = N;

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
  // fmaf(sum, m, b) of channels 4 i + j; zero: of the source.
  template <typename S>
  void scaled(int taps, int zero, float m, float b, Floats (&values)[4]) const {
    const int bias = ((S(-1) < S(0) ? 128 : 0) + zero) * taps;
    const Words pairs[2] = {__builtin_bit_cast(Words, even), __builtin_bit_cast(Words, odd)};
    for (int j = 0; j < 4; ++j) {
      const Words word = j < 2 ? pairs[j] & 0xffff : pairs[j - 2] >> 16;
      const Floats sum = __builtin_convertvector(__builtin_bit_cast(Integers, word) - bias, Floats);
      values[j] = sum * m;
      for (int i = 0; b != 0 && i < N / 4; ++i) values[j][i] = __builtin_fmaf(sum[i], m, b);
    }
  }
  static void store_rounded(const Floats (&values)[4], float lo, float hi, std::uint8_t* dst) {
    Words all = {};
    for (int j = 0; j < 4; ++j) {
      Floats v = values[j] > lo ? values[j] : lo;  // as round_clamped()
      v = v < hi ? v : hi;
      all |= (__builtin_bit_cast(Words, v + 12582912.0f) & 0xff) << (8 * j);
    }
    __builtin_memcpy(dst, &all, sizeof all);
  }
};
constexpr int kMostTaps = 65535 / 255;  // of a 16-bit sum

template <typename S, int N>
inline void add_column(const PoolRow& a, int x, int c0, ChunkSum<N>& sum) {
  if (x < 0 || x >= a.w) return;
  for (int r = 0; r < a.rows; ++r) sum.template add<S>(a.src + r * a.row_bytes + x * a.pixel_bytes + c0);
}

template <int N>
using Count = std::integral_constant<int, N>;

// Calls chunk(Count<N>, c0) until all channels were visited; fewer than 8 by rest(c0, count). The narrower chunks at
// the end may visit channels again.
template <typename Chunk, typename Rest>
inline void for_chunks(int channels, Chunk&& chunk, Rest&& rest) {
  int c0 = 0;
  for (; c0 + kChunk <= channels; c0 += kChunk) chunk(Count<kChunk>{}, c0);
  if (channels - c0 >= 32) {
    chunk(Count<32>{}, c0);
    c0 += 32;
  }
  if (channels - c0 >= 16) {
    chunk(Count<16>{}, c0);
    c0 += 16;
  }
  const int left = channels - c0;
  if (left == 0) return;
  if (channels >= 16 && left > 8) {
    chunk(Count<16>{}, channels - 16);
  } else if (channels >= 8) {
    if (left > 8) chunk(Count<8>{}, c0);
    chunk(Count<8>{}, channels - 8);
  } else {
    rest(c0, left);
  }
}

template <typename S, int N>
inline void maximum_of(const Taps& a, int c0, S* best) {
  Bytes<S, N> most;
  __builtin_memset(&most, S(-1) > S(0) ? 0 : 0x80, sizeof most);
  for (int r = 0; r < a.rows; ++r) {
    for (int s = 0; s < a.cols; ++s) {
      Bytes<S, N> x;
      __builtin_memcpy(&x, a.at<S>(r, s, c0), sizeof x);
      most = x > most ? x : most;
    }
  }
  __builtin_memcpy(best, &most, sizeof most);
}

template <typename S>
inline void maximum_of(const Taps& a, int c0, int count, S* best) {
  for (int c = 0; c < count; ++c) best[c] = static_cast<S>(S(-1) > S(0) ? 0 : -128);
  reduce_taps<S>(
      a, c0, count, best, [](S x, S y) __attribute__((always_inline)) { return x > y ? x : y; });
}

template <typename S>
void maximum(const PoolRow& row) {
  const PoolRow a = row;
  const float m = *a.m;
  for (int q = 0; q < a.q; ++q) {
    const Taps taps(a, q);
    const auto store = [&](const S* best, int c0, int count) __attribute__((always_inline)) {
      auto* dst = reinterpret_cast<std::uint8_t*>(a.dst + q * a.dst_pitch) + c0;
      if (a.copy) {
        __builtin_memcpy(dst, best, static_cast<std::size_t>(count));
        return;
      }
      for (int c = 0; c < count; ++c) dst[c] = round_clamped(static_cast<float>(best[c]) * m, a.lo, a.hi);
    };
    S best[kChunk];
    for_chunks(
        a.channels,
        [&](auto count, int c0) __attribute__((always_inline)) {
          maximum_of<S, count>(taps, c0, best);
          store(best, c0, count);
        },
        [&](int c0, int count) {
          maximum_of<S>(taps, c0, count, best);
          store(best, c0, count);
        });
  }
}

// Calls store(q, taps, c0, count, sum) for all pixels of N channels, sum a ChunkSum.
template <typename S, int N, typename Store>
inline void chunk_sums(const PoolRow& a, int c0, Store&& store) {
  ChunkSum<N> left, middle;  // columns are summed once for the three outputs of a stride of 1
  const bool slides = a.kernel_w == 3 && a.stride_w == 1;
  if (slides) {
    add_column<S>(a, -a.pad_left, c0, left);
    add_column<S>(a, 1 - a.pad_left, c0, middle);
  }
  for (int q = 0; q < a.q; ++q) {
    const Taps taps(a, q);
    ChunkSum<N> sum;
    if (slides) {
      add_column<S>(a, q + 2 - a.pad_left, c0, sum);
      const ChunkSum<N> right = sum;
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
    store(q, taps, c0, N, sum);
  }
}

// The same with int32 sums in channel order, where that is not possible: rare, and once in the code for any count.
template <typename S, typename Store>
[[gnu::noinline]] void plain_sums(const PoolRow& a, int c0, int count, Store&& store) {
  for (int q = 0; q < a.q; ++q) {
    const Taps taps(a, q);
    std::int32_t sum[kChunk];
    sum_taps<S>(taps, c0, count, sum);
    store(q, taps, c0, count, sum);
  }
}

template <typename S, typename Store>
inline void for_sums(const PoolRow& a, Store&& store) {
  const bool narrow = a.rows * a.kernel_w <= kMostTaps;
  for_chunks(
      a.channels,
      [&](auto count, int c0) __attribute__((always_inline)) {
        if (narrow) {
          chunk_sums<S, count>(a, c0, store);
        } else {
          int channels = count;
          asm("" : "+r"(channels));  // not a constant: g++ would unroll a copy of the function for each
          plain_sums<S>(a, c0, channels, store);
        }
      },
      [&](int c0, int count) { plain_sums<S>(a, c0, count, store); });
}

// D: float, left as it is but for -0, or bytes of either type.
template <typename S, typename D>
void average(const PoolRow& row) {
  const PoolRow a = row;
  for_sums<S>(
      a, [&](int q, const Taps& taps, int c0, int count, const auto& sum) __attribute__((always_inline)) {
        D* dst = reinterpret_cast<D*>(a.dst + q * a.dst_pitch) + c0;
        const int count_of_taps = taps.rows * taps.cols;
        const float m = a.m[count_of_taps - 1];
        using Sum = std::remove_cvref_t<decltype(sum)>;
        if constexpr (std::is_class_v<Sum>) {
          typename Sum::Floats values[4];
          sum.template scaled<S>(count_of_taps, a.zero, m, a.dst_zero, values);
          if constexpr (std::is_same_v<D, float>) {
            for (int c = 0; c < Sum::kChannels; ++c) dst[c] = values[c % 4][c / 4] + 0.0f;
          } else {
            Sum::store_rounded(values, a.lo, a.hi, dst);
          }
        } else {
          for (int c = 0; c < count; ++c) {
            const float value = __builtin_fmaf(static_cast<float>(sum[c] - a.zero * count_of_taps), m, a.dst_zero);
            if constexpr (std::is_same_v<D, float>) {
              dst[c] = value + 0.0f;
            } else {
              dst[c] = round_clamped(value, a.lo, a.hi);
            }
          }
        }
      });
}

}  // namespace
}  // namespace gpueval::cpu
