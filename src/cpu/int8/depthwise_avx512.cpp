// SPDX-License-Identifier: Apache-2.0
// AVX-512 VNNI depthwise rows. The (up to four) rows of one kernel column are interleaved byte by byte, 64 channels at
// a time, so that one vpdpbusd multiplies a whole column for 16 channels. The interleaving is the expensive part: 3x3
// keeps interleaved columns in registers while they slide under the kernel; few channels are handled as several pixels
// of one vector.
#if defined(__x86_64__)
#include "cpu/int8/depthwise_avx512.h"

namespace gpueval::cpu {
namespace {

// 3x3 at one block of 64 channels: rows outside the image stand still on padding.
struct Window3 {
  const std::byte* row[3];
  std::int64_t step[3];
  int w;
  __mmask64 mask;
  Source source;
  alignas(64) std::byte pad[64];

  Window3(const DepthwiseRow& a, int c0) : w(a.w), mask(first_bytes(a.channels - c0)), source(a) {
    _mm512_store_si512(pad, source.pad);
    for (int r = 0; r < 3; ++r) {
      row[r] = a.rows[r] != nullptr ? a.rows[r] + c0 : pad;
      step[r] = a.rows[r] != nullptr ? a.pixel_bytes : 0;
    }
  }
  Column column(int x) const {
    const __m512i padded = source.padded;
    if (x < 0 || x >= w) return {{padded, padded, padded, padded}};
    return interleave(source.load(row[0] + x * step[0], mask), source.load(row[1] + x * step[1], mask),
                      source.load(row[2] + x * step[2], mask), padded);
  }
};

template <int kStride>
void row_3x3(const DepthwiseRow& a) {
  const EpilogueConstants k = load_constants(*a.epilogue);
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
  for (int c0 = 0; c0 < a.channels; c0 += 64) {
    const Window3 window(a, c0);
    const std::byte* weights = a.weights + c0 * 12;
    int x = -a.pad_left;
    Column first = window.column(x), second = first;
    if constexpr (kStride == 1) second = window.column(x + 1);
    for (int q = 0; q < a.q; ++q, x += kStride) {
      if constexpr (kStride == 2) second = window.column(x + 1);
      const Column third = window.column(x + 2);
      __m512i acc[4];
      load_start(a.start + c0, acc);
      multiply(acc, first, weights);
      multiply(acc, second, weights + 256);
      multiply(acc, third, weights + 512);
      store(acc, a, q * a.dst_pitch + c0 * bytes, q * a.residual_pitch + c0, c0, a.channels - c0, k);
      first = kStride == 1 ? second : third;
      second = third;
    }
  }
}

void row(const DepthwiseRow& a) {
  if (a.kernel_h == 3 && a.kernel_w == 3 && a.stride_w == 1) {
    row_3x3<1>(a);
  } else if (a.kernel_h == 3 && a.kernel_w == 3 && a.stride_w == 2) {
    row_3x3<2>(a);
  } else {
    depthwise_general_row_avx512(a);
  }
}

// Columns and channels as one axis: a kernel column is the same bytes, moved by whole pixels.
void flat_row(const DepthwiseRow& a) {
  const Source source(a);
  const EpilogueConstants k = load_constants(*a.epilogue);
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
  const int column_groups = (a.kernel_h + 3) / 4;
  const std::int64_t outputs = std::int64_t{a.q} * a.channels, inputs = std::int64_t{a.w} * a.channels;
  for (std::int64_t f = 0; f < outputs; f += 64) {
    __m512i acc[4];
    load_start(a.start, acc);
    const std::byte* w = a.weights;
    for (int s = 0; s < a.kernel_w; ++s) {
      const std::int64_t offset = f + std::int64_t{s - a.pad_left} * a.channels;
      const __mmask64 mask = inside(offset, inputs);
      for (int g = 0; g < column_groups; ++g, w += 256) {
        multiply(acc, load_column(a, source, g * 4, mask ? offset : 0, mask), w);
      }
    }
    const int count = outputs - f < 64 ? static_cast<int>(outputs - f) : 64;
    store(acc, a, f * bytes, f, 0, count, k);
  }
}

// 3x3, stride 2, 8, 16 or 32 channels: the columns of one tap are every other one of 128 bytes.
void flat_row_stride2(const DepthwiseRow& a) {
  const Source source(a);
  const EpilogueConstants k = load_constants(*a.epilogue);
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
  const std::int64_t outputs = std::int64_t{a.q} * a.channels, inputs = std::int64_t{a.w} * a.channels;
  const std::int64_t words = a.channels / 8;  // 64-bit words of a column
  std::int64_t even_words[8], odd_words[8];
  for (std::int64_t i = 0; i < 8; ++i) {
    even_words[i] = i / words * 2 * words + i % words;
    odd_words[i] = even_words[i] + words;
  }
  const __m512i even = _mm512_loadu_si512(even_words), odd = _mm512_loadu_si512(odd_words);
  for (std::int64_t f = 0; f < outputs; f += 64) {
    const std::int64_t first = 2 * f - std::int64_t{a.pad_left} * a.channels, third = first + 2 * a.channels;
    const __mmask64 masks[4] = {inside(first, inputs), inside(first + 64, inputs), inside(third, inputs),
                                inside(third + 64, inputs)};
    __m512i tap[3][3];
#pragma GCC unroll 3
    for (int r = 0; r < 3; ++r) {
      const auto load = [&](std::int64_t offset, __mmask64 mask) __attribute__((always_inline)) {
        return a.rows[r] != nullptr && mask != 0 ? source.load(a.rows[r] + offset, mask) : source.padded;
      };
      const __m512i lo = load(first, masks[0]), hi = load(first + 64, masks[1]);
      tap[0][r] = _mm512_permutex2var_epi64(lo, even, hi);
      tap[1][r] = _mm512_permutex2var_epi64(lo, odd, hi);
      tap[2][r] = _mm512_permutex2var_epi64(load(third, masks[2]), even, load(third + 64, masks[3]));
    }
    __m512i acc[4];
    load_start(a.start, acc);
#pragma GCC unroll 3
    for (int s = 0; s < 3; ++s) {
      multiply(acc, interleave(tap[s][0], tap[s][1], tap[s][2], source.padded), a.weights + s * 256);
    }
    const int count = outputs - f < 64 ? static_cast<int>(outputs - f) : 64;
    store(acc, a, f * bytes, f, 0, count, k);
  }
}

}  // namespace

const DepthwiseSet kDepthwiseAvx512Vnni = {.block = 64,
                                           .group = 4,
                                           .element_bytes = 1,
                                           .biased = true,
                                           .weight_channel = [](int lane) { return lane_channel(lane); },
                                           .shuffled = true,
                                           .by_column = true,
                                           .row = row,
                                           .flat_row = flat_row,
                                           .flat_row_stride2 = flat_row_stride2,
                                           .row_pair = depthwise_row_pair_avx512,
                                           .flat_row_pair = depthwise_flat_row_pair_avx512};

}  // namespace gpueval::cpu
#endif
