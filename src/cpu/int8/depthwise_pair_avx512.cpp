// SPDX-License-Identifier: Apache-2.0
// 3x3 depthwise, stride 1, two output rows at once. vpdpbusd multiplies four bytes, a kernel column has three:
// interleaving four source rows serves both output rows, the upper with weights (w0 w1 w2 0), the lower with (0 w0 w1
// w2). That halves the shuffles and loads an output, and the two rows' independent sums hide each other's latency.
#if defined(__x86_64__)
#include "cpu/int8/depthwise_avx512.h"

namespace gpueval::cpu {
namespace {

// The four source rows of a pair. Rows outside the image stand still on padding.
template <bool kFlip>
struct FourRows {
  const std::byte* row[4];
  std::int64_t moves[4];  // all ones, or 0: and-ed to offsets
  Source source;
  alignas(64) std::byte pad[64];

  explicit FourRows(const DepthwiseRow& a) : source(a) {
    _mm512_store_si512(pad, source.pad);
    for (int r = 0; r < 4; ++r) {
      row[r] = a.rows[r] != nullptr ? a.rows[r] : pad;
      moves[r] = a.rows[r] != nullptr ? -1 : 0;
    }
  }
  __m512i load(int r, std::int64_t offset, __mmask64 mask) const {
    const std::byte* at = row[r] + (offset & moves[r]);
    const __m512i bytes = mask == ~__mmask64{0} ? _mm512_loadu_si512(at) : _mm512_mask_loadu_epi8(source.pad, mask, at);
    return kFlip ? _mm512_xor_si512(bytes, source.flip) : bytes;
  }
  Column column(std::int64_t offset, __mmask64 mask) const {
    return interleave(load(0, offset, mask), load(1, offset, mask), load(2, offset, mask), load(3, offset, mask));
  }
};

// Constants of one block of 64 lanes.
template <bool kInRange>
struct Block {
  const std::byte* upper;
  alignas(64) __m512i lower[12];
  const std::int32_t* start;
  const float* m;
  const float* b;
  int channels;
  const Epilogue epilogue;
  EpilogueConstants k;

  Block(const DepthwiseRow& a, int c0, int count)
      : upper(a.weights + c0 * 12),
        start(a.start + c0),
        m(a.m + c0),
        b(a.b + c0),
        channels(count),
        epilogue(*a.epilogue),
        k(load_constants(*a.epilogue)) {
    for (int i = 0; i < 12; ++i) lower[i] = _mm512_slli_epi32(_mm512_load_si512(upper + i * 64), 8);
  }

  void store(const __m512i* acc, int count, std::byte* dst) const {
    __m512i q[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) q[v] = rounded<kInRange>(scaled(acc[v], m + v * 16, b + v * 16), k);
    const __m512i lo = _mm512_packs_epi32(q[0], q[1]), hi = _mm512_packs_epi32(q[2], q[3]);
    const __m512i packed = packed_bytes<kInRange>(lo, hi, epilogue, k);
    if (count >= 64) {
      _mm512_storeu_si512(dst, packed);
    } else {
      _mm512_mask_storeu_epi8(dst, first_bytes(count), packed);
    }
  }

  // Both output rows from three columns.
  void run(const Column& c0, const Column& c1, const Column& c2, int count, std::byte* dst, std::byte* next) const {
    __m512i a[4], d[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) a[v] = d[v] = _mm512_loadu_si512(start + v * 16);
    multiply(a, c0, upper);
    multiply(d, c0, reinterpret_cast<const std::byte*>(lower));
    multiply(a, c1, upper + 256);
    multiply(d, c1, reinterpret_cast<const std::byte*>(lower + 4));
    multiply(a, c2, upper + 512);
    multiply(d, c2, reinterpret_cast<const std::byte*>(lower + 8));
    store(a, count, dst);
    if (next != nullptr) store(d, count, next);
  }
};

template <bool kFlip, bool kInRange>
void pair(const DepthwiseRow& a) {
  const FourRows<kFlip> rows(a);
  const __m512i padded = rows.source.padded;
  for (int c0 = 0; c0 < a.channels; c0 += 64) {
    const int count = a.channels - c0;
    const Block<kInRange> block(a, c0, count);
    const __mmask64 mask = first_bytes(count);
    const auto column = [&](int x) __attribute__((always_inline)) {
      if (x < 0 || x >= a.w) return Column{{padded, padded, padded, padded}};
      return rows.column(x * a.pixel_bytes + c0, mask);
    };
    int x = -a.pad_left;
    Column first = column(x), second = column(x + 1);
    std::byte* dst = a.dst + c0;
    std::byte* next = a.output_rows > 1 ? dst + a.dst_row_bytes : nullptr;
    for (int q = 0; q < a.q; ++q, ++x) {
      const Column third = column(x + 2);
      block.run(first, second, third, count, dst, next);
      first = second;
      second = third;
      dst += a.dst_pitch;
      if (next != nullptr) next += a.dst_pitch;
    }
  }
}

template <bool kFlip, bool kInRange>
void flat_pair(const DepthwiseRow& a) {
  const FourRows<kFlip> rows(a);
  const Block<kInRange> block(a, 0, 64);
  const std::int64_t outputs = std::int64_t{a.q} * a.channels, inputs = std::int64_t{a.w} * a.channels;
  for (std::int64_t f = 0; f < outputs; f += 64) {
    const auto column = [&](int s) __attribute__((always_inline)) {
      const std::int64_t offset = f + std::int64_t{s - a.pad_left} * a.channels;
      const __mmask64 mask = inside(offset, inputs);
      return rows.column(mask != 0 ? offset : 0, mask);
    };
    const int count = outputs - f < 64 ? static_cast<int>(outputs - f) : 64;
    std::byte* dst = a.dst + f;
    block.run(column(0), column(1), column(2), count, dst, a.output_rows > 1 ? dst + a.dst_row_bytes : nullptr);
  }
}

}  // namespace

void depthwise_row_pair_avx512(const DepthwiseRow& row) {
  if (row.epilogue->in_range) {
    row.src_s8 ? pair<true, true>(row) : pair<false, true>(row);
  } else {
    row.src_s8 ? pair<true, false>(row) : pair<false, false>(row);
  }
}
void depthwise_flat_row_pair_avx512(const DepthwiseRow& row) {
  if (row.epilogue->in_range) {
    row.src_s8 ? flat_pair<true, true>(row) : flat_pair<false, true>(row);
  } else {
    row.src_s8 ? flat_pair<true, false>(row) : flat_pair<false, false>(row);
  }
}

}  // namespace gpueval::cpu
#endif
