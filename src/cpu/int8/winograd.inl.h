// SPDX-License-Identifier: Apache-2.0
// The steps of winograd_set.h on registers of V::kBytes. V has their instructions, too: those of sums (V::Sums), and
// the epilogue of one pixel, store_pixel(), and, where V::packs(), of the whole vectors of up to four, store_bytes().
// V::kRows[vectors] tiles are multiplied at once.
#pragma once

#include "cpu/int8/winograd_set.h"

namespace gpueval::cpu {
namespace {

// Adjacent output pixels, one vector of channels.
struct WinogradPixels {
  int count = 0, channels = 0;
  const float* m = nullptr;
  const float* b = nullptr;
  std::byte* dst = nullptr;
  std::int64_t dst_pixel = 0;
  const std::byte* residual = nullptr;
  std::int64_t residual_pixel = 0;
  const Epilogue* epilogue = nullptr;

  // Of a pixel behind the last one: the first one's.
  const std::byte* residual_of(int pixel) const { return residual + (pixel < count ? pixel : 0) * residual_pixel; }
};

// 2 * kLanes source channels, kLanes output channels. Sums wrap around: unsigned.
template <int kBytes>
struct Vectors {
  static constexpr int kLanes = kBytes / 4;
  typedef std::uint8_t U8 [[gnu::vector_size(kBytes / 2)]];
  typedef std::int8_t S8 [[gnu::vector_size(kBytes / 2)]];
  typedef std::int16_t S16 [[gnu::vector_size(kBytes)]];
  typedef std::uint32_t U32 [[gnu::vector_size(kBytes)]];
  typedef std::int32_t S32 [[gnu::vector_size(kBytes)]];
};

template <typename T>
[[gnu::always_inline]] inline T load(const void* from) {
  T value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
template <typename T>
[[gnu::always_inline]] inline void store(void* to, const T& value) {
  __builtin_memcpy(to, &value, sizeof value);
}

// B' d.
template <typename T>
[[gnu::always_inline]] inline void source_line(const T* d, T* out) {
  const T even = d[4] - 4 * d[2], odd = d[3] - 4 * d[1];
  const T even2 = d[4] - d[2], odd2 = 2 * (d[3] - d[1]);
  out[0] = 4 * (d[0] - d[2]) + even2;
  out[1] = even + odd;
  out[2] = even - odd;
  out[3] = even2 + odd2;
  out[4] = even2 - odd2;
  out[5] = 4 * (d[1] - d[3]) + (d[5] - d[3]);
}

// A' m, of points in equal units but for the last, which is a half of one.
template <typename T>
[[gnu::always_inline]] inline void output_line(const T* m, T* out) {
  const T sum1 = m[1] + m[2], difference1 = m[1] - m[2];
  const T sum2 = m[3] + m[4], difference2 = 2 * (m[3] - m[4]);
  out[0] = m[0] + sum1 + sum2;
  out[1] = difference1 + difference2;
  out[2] = sum1 + 4 * sum2;
  out[3] = difference1 + 4 * difference2 + 2 * m[5];
}

// The last vector of channels begins earlier, so that it is a whole one; fewer channels than that are copied first.
template <typename V, typename Byte, typename Source>
void winograd_source(const WinogradSource& a) {
  using S16 = typename Vectors<V::kBytes>::S16;
  constexpr int kChannels = V::kBytes / 2;
  const bool few = a.channels < kChannels;
  Byte copy[kChannels] = {};
  const S16 padding = S16{} + static_cast<std::int16_t>(static_cast<Byte>(a.padding));
  for (int next = 0; next < a.channels; next += kChannels) {
    const int c = few || next + kChannels <= a.channels ? next : a.channels - kChannels;
    S16 columns[kWinogradIn][kWinogradIn];  // [row of points][column]
    for (int j = 0; j < kWinogradIn; ++j) {
      S16 d[kWinogradIn], line[kWinogradIn];
      const int x = a.x + j;
      const bool inside = x >= 0 && x < a.w;
#pragma GCC unroll 6
      for (int i = 0; i < kWinogradIn; ++i) {
        const int y = a.y + i;
        if (!inside || y < 0 || y >= a.h) {
          d[i] = padding;
          continue;
        }
        const void* from = a.image + y * a.row_bytes + x * a.pixel_bytes + c;
        if (few) from = __builtin_memcpy(copy, from, static_cast<std::size_t>(a.channels));
        d[i] = __builtin_convertvector(load<Source>(from), S16);
      }
      source_line(d, line);
#pragma GCC unroll 6
      for (int i = 0; i < kWinogradIn; ++i) columns[i][j] = line[i];
    }
    std::int16_t* to = a.points + c;
    for (int i = 0; i < kWinogradIn; ++i) {
      S16 line[kWinogradIn];
      source_line(columns[i], line);
#pragma GCC unroll 6
      for (int j = 0; j < kWinogradIn; ++j, to += a.point_stride) store(to, line[j]);
    }
  }
}

// Two source channels of every tile.
template <typename V, int kVectors, int kRows>
[[gnu::always_inline]] inline void product_step(const std::int16_t* const* x, std::int64_t c,
                                                const std::int16_t* weights, typename V::Sums (&acc)[kRows][kVectors]) {
  typename V::Sums w[kVectors];
#pragma GCC unroll 4
  for (int j = 0; j < kVectors; ++j) w[j] = V::load(weights + j * V::kBytes / 2);
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
    const typename V::Sums pair = V::broadcast(load<std::int32_t>(x[i] + c));
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) V::multiply_add(acc[i][j], pair, w[j]);
  }
}

template <typename V, int kVectors, int kRows>
void product_tile(const WinogradProduct& a, int first) {
  constexpr int kLanes = V::kBytes / 4, kStep = kVectors * V::kBytes / 2;
  typename V::Sums acc[kRows][kVectors];
  const std::int16_t* x[kRows];
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
    x[i] = a.source + (first + i) * a.source_pitch;
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) acc[i][j] = V::zero();
  }
  const std::int16_t* weights = a.weights;
  for (std::int64_t c = 0; c < a.depth; c += 4, weights += 2 * kStep) {
    product_step<V, kVectors, kRows>(x, c, weights, acc);
    product_step<V, kVectors, kRows>(x, c + 2, weights + kStep, acc);
  }
  std::int32_t* sums = a.sums + std::int64_t{first} * kVectors * kLanes;
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) V::store(sums + (i * kVectors + j) * kLanes, acc[i][j]);
  }
}

template <typename V, int kVectors, int kRows>
[[gnu::always_inline]] inline void product_of(const WinogradProduct& a, int first, int rows) {
  if (rows == kRows) return product_tile<V, kVectors, kRows>(a, first);
  if constexpr (kRows > 1) product_of<V, kVectors, kRows - 1>(a, first, rows);
}

template <typename V, int kVectors>
void winograd_product(const WinogradProduct& a) {
  constexpr int kMost = V::kRows[kVectors];
  const int parts = (a.tiles + kMost - 1) / kMost;
  int first = 0;
  for (int i = 0; i < parts; ++i) {  // as equal as possible
    const int end = static_cast<int>(std::int64_t{a.tiles} * (i + 1) / parts);
    product_of<V, kVectors, kMost>(a, first, end - first);
    first = end;
  }
}

// Of 576 Y modulo 2^32: Y.
template <typename V>
[[gnu::always_inline]] inline auto exact(const typename Vectors<V::kBytes>::U32& sum) {
  constexpr std::uint32_t kInverseOf9 = 954437177;
  static_assert(kInverseOf9 * 9 == 1);
  return reinterpret_cast<typename Vectors<V::kBytes>::S32>(sum * kInverseOf9) >> 6;
}

// A' m of each column of points: [output row][column].
template <typename V>
[[gnu::always_inline]] inline void output_columns(const std::int32_t* sums, std::int64_t point_stride,
                                                  typename Vectors<V::kBytes>::U32 (*columns)[kWinogradIn]) {
  using U32 = typename Vectors<V::kBytes>::U32;
  for (int j = 0; j < kWinogradIn; ++j) {
    U32 m[kWinogradIn], line[kWinogradOut];
#pragma GCC unroll 6
    for (int i = 0; i < kWinogradIn; ++i) m[i] = load<U32>(sums + (i * kWinogradIn + j) * point_stride);
    output_line(m, line);
#pragma GCC unroll 4
    for (int i = 0; i < kWinogradOut; ++i) columns[i][j] = line[i];
  }
}

template <typename V, bool kResidual, bool kWhole>
void outputs_of(const WinogradOutputs& a) {
  const int parts = kWhole ? 1 : a.parts;
  using U32 = typename Vectors<V::kBytes>::U32;
  constexpr int kLanes = V::kBytes / 4;
  const int element = a.epilogue->out == Out::kF32 ? 4 : 1;
  const typename V::Constants constants = V::constants(*a.epilogue);
  for (int lane = 0; lane < a.channels; lane += kLanes) {
    U32 columns[kWhole ? 1 : kWinogradParts][kWinogradOut][kWinogradIn];
    for (int part = 0; part < parts; ++part)
      output_columns<V>(a.sums + part * a.part_stride + lane, a.point_stride, columns[part]);
    WinogradPixels pixels{.count = a.columns,
                          .channels = a.channels - lane < kLanes ? a.channels - lane : kLanes,
                          .m = a.m + lane,
                          .b = a.b + lane,
                          .dst = a.dst + lane * element,
                          .dst_pixel = a.dst_pixel,
                          .residual = kResidual ? a.residual + lane : nullptr,
                          .residual_pixel = a.residual_pixel,
                          .epilogue = a.epilogue};
    const bool packs = pixels.channels == kLanes && V::packs(*a.epilogue);
    for (int i = 0; i < a.rows; ++i, pixels.dst += a.dst_row) {
      typename V::Sums sums[kWinogradOut];
      for (int part = 0; part < parts; ++part) {
        U32 line[kWinogradOut];
        output_line(columns[part][i], line);
#pragma GCC unroll 4
        for (int j = 0; j < kWinogradOut; ++j) {
          const auto sum = reinterpret_cast<typename V::Sums>(exact<V>(line[j]));
          sums[j] = part == 0 ? sum : V::add(sums[j], sum);
        }
      }
      if (packs) {
        V::template store_bytes<kResidual>(sums, pixels, constants);
      } else {
        for (int j = 0; j < a.columns; ++j) V::template store_pixel<kResidual>(sums[j], pixels, j, constants);
      }
      if (kResidual) pixels.residual += a.residual_row;
    }
  }
}

template <typename V>
void winograd_outputs(const WinogradOutputs& a) {
  if (a.epilogue->residual == Residual::kNone) {
    a.parts == 1 ? outputs_of<V, false, true>(a) : outputs_of<V, false, false>(a);
  } else {
    a.parts == 1 ? outputs_of<V, true, true>(a) : outputs_of<V, true, false>(a);
  }
}

}  // namespace
}  // namespace gpueval::cpu
