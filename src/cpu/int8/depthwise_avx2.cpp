// SPDX-License-Identifier: Apache-2.0
// AVX2 depthwise rows, 8 channels a vector: the bytes of two source rows are interleaved and widened to s16, so that
// one vpmaddwd multiplies two taps of a kernel column. 3x3 keeps widened columns in registers while they slide under
// the kernel and computes two output columns at once; with stride 1 two output rows as well, which share the widened
// pairs of their four source rows: the upper row has weights (w0 w1) (w2 0), the lower one (0 w0) (w1 w2).
#if defined(__x86_64__)
#include "cpu/int8/depthwise_row.h"
#include "cpu/int8/epilogue_avx2.h"

namespace gpueval::cpu {
namespace {

constexpr int kBlock = 8;
inline __m128i padding(const DepthwiseRow& a) { return _mm_set1_epi8(static_cast<char>(a.pad)); }
inline __m128i load_bytes(const std::byte* at) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)); }

template <bool kS8>
inline __m256i interleave(__m128i even, __m128i odd) {
  const __m128i bytes = _mm_unpacklo_epi8(even, odd);
  return kS8 ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
}

inline __m256i multiply_add(__m256i sum, __m256i pairs, __m256i weights) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, weights));
}

// Any kernel, channels from `first` on.
template <bool kS8>
void general_row(const DepthwiseRow& a, int first) {
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
  const int pairs = (a.kernel_h + 1) / 2;
  for (int c0 = first; c0 < a.channels; c0 += kBlock) {
    const int channels = a.channels - c0 < kBlock ? a.channels - c0 : kBlock;
    const auto* weights = reinterpret_cast<const __m256i*>(a.weights) + c0 / kBlock * pairs * a.kernel_w;
    for (int q = 0; q < a.q; ++q) {
      const auto* w = weights;
      __m256i sum = _mm256_setzero_si256();
      for (int s = 0; s < a.kernel_w; ++s) {
        const int x = q * a.stride_w - a.pad_left + s;
        const auto load = [&](int r) {
          if (r >= a.kernel_h || a.rows[r] == nullptr || x < 0 || x >= a.w) return padding(a);
          std::byte copy[kBlock] = {};
          copy_bytes(copy, a.rows[r] + x * a.pixel_bytes + c0, channels);
          return load_bytes(copy);
        };
        for (int i = 0; i < pairs; ++i, ++w) {
          sum = multiply_add(sum, interleave<kS8>(load(2 * i), load(2 * i + 1)), _mm256_load_si256(w));
        }
      }
      store_vector(sum, a.m + c0, a.b + c0, a.residual ? a.residual + q * a.residual_pitch + c0 : nullptr, *a.epilogue,
                   channels, a.dst + q * a.dst_pitch + c0 * bytes);
    }
  }
}

// One column of the source rows of kRows output rows: rows 0 and 1, rows 2 and 3 (one output row has no row 3).
struct Column {
  __m256i top, bottom;
};

// 8 channels of the source rows of kRows output rows. Rows outside the image stand still on padding.
template <bool kS8, int kRows>
struct Source {
  const std::byte* row[kRows + 2];
  std::int64_t step[kRows + 2];
  int w;
  alignas(16) std::byte pad[16];
  Column edge;

  Source(const DepthwiseRow& a, int c0) : w(a.w) {
    _mm_store_si128(reinterpret_cast<__m128i*>(pad), padding(a));
    edge.top = edge.bottom = interleave<kS8>(padding(a), padding(a));
    for (int r = 0; r < kRows + 2; ++r) {
      row[r] = a.rows[r] != nullptr ? a.rows[r] + c0 : pad;
      step[r] = a.rows[r] != nullptr ? a.pixel_bytes : 0;
    }
  }
  Column column(std::int64_t x) const {
    if (x < 0 || x >= w) return edge;
    const auto load = [&](int r) __attribute__((always_inline)) { return load_bytes(row[r] + x * step[r]); };
    const __m256i top = interleave<kS8>(load(0), load(1));
    if constexpr (kRows == 2) return {top, interleave<kS8>(load(2), load(3))};
    // A sign in the upper half meets a weight of 0.
    return {top, kS8 ? _mm256_cvtepi8_epi32(load(2)) : _mm256_cvtepu8_epi32(load(2))};
  }
};

// What 3x3 needs of one block of 8 channels besides the source.
template <int kRows>
struct Block {
  __m256i w[kRows][6];  // down the columns
  __m256 m, b;
  const float *m_at, *b_at;
  const Epilogue& e;

  Block(const DepthwiseRow& a, int c0)
      : m(_mm256_loadu_ps(a.m + c0)), b(_mm256_loadu_ps(a.b + c0)), m_at(a.m + c0), b_at(a.b + c0), e(*a.epilogue) {
    const auto* packed = reinterpret_cast<const __m256i*>(a.weights) + c0 / kBlock * 6;
    for (int i = 0; i < 6; ++i) w[0][i] = _mm256_load_si256(packed + i);
    if constexpr (kRows == 2) {
      for (int i = 0; i < 6; i += 2) {
        w[1][i] = _mm256_slli_epi32(w[0][i], 16);
        w[1][i + 1] = _mm256_or_si256(_mm256_srli_epi32(w[0][i], 16), _mm256_slli_epi32(w[0][i + 1], 16));
      }
    }
  }

  template <int kRow>
  __m256i sum(const Column& c0, const Column& c1, const Column& c2) const {
    __m256i s = _mm256_madd_epi16(c0.top, w[kRow][0]);
    s = multiply_add(s, c0.bottom, w[kRow][1]);
    s = multiply_add(s, c1.top, w[kRow][2]);
    s = multiply_add(s, c1.bottom, w[kRow][3]);
    s = multiply_add(s, c2.top, w[kRow][4]);
    return multiply_add(s, c2.bottom, w[kRow][5]);
  }

  __m256i rounded(__m256i sum) const {
    __m256 v = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), m, b);
    if (!e.in_range) v = _mm256_min_ps(_mm256_max_ps(v, _mm256_set1_ps(e.lo)), _mm256_set1_ps(e.hi));
    return _mm256_cvtps_epi32(v);
  }

  // Sums of one (v1 = v0) or two outputs of each row (0, 1: upper, 2, 3: lower) as bytes, 8 an output.
  __m256i packed(__m256i s0, __m256i s1, __m256i s2, __m256i s3) const {
    const __m256i lo = _mm256_packs_epi32(rounded(s0), rounded(s1));
    const __m256i hi = kRows == 2 ? _mm256_packs_epi32(rounded(s2), rounded(s3)) : lo;
    __m256i q;
    if (e.out == Out::kU8) {
      q = _mm256_packus_epi16(lo, hi);
      if (e.in_range && e.clamp_bytes) q = _mm256_min_epu8(_mm256_max_epu8(q, low()), high());
    } else {
      q = _mm256_packs_epi16(lo, hi);
      if (e.in_range && e.clamp_bytes) q = _mm256_min_epi8(_mm256_max_epi8(q, low()), high());
    }
    // Packing works within 128 bits: channels 0-3 of all outputs, then 4-7.
    return _mm256_permutevar8x32_epi32(q, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
  __m256i low() const { return _mm256_set1_epi8(static_cast<char>(e.low_byte)); }
  __m256i high() const { return _mm256_set1_epi8(static_cast<char>(e.high_byte)); }
};

// Where the outputs of one block go.
struct Target {
  std::byte* dst;
  std::int64_t pitch, row_bytes;
  const std::byte* residual;
  std::int64_t residual_pitch;
  bool integer_alone;  // neither float32 nor a residual

  Target(const DepthwiseRow& a, int c0)
      : dst(a.dst + c0 * (a.epilogue->out == Out::kF32 ? 4 : 1)),
        pitch(a.dst_pitch),
        row_bytes(a.dst_row_bytes),
        residual(a.residual != nullptr ? a.residual + c0 : nullptr),
        residual_pitch(a.residual_pitch),
        integer_alone(a.epilogue->out != Out::kF32 && a.epilogue->residual == Residual::kNone) {}
};

// kColumns (1 or 2) outputs of kRows rows; the second ones' columns begin with d0.
template <int kRows, int kColumns>
inline void outputs(const Block<kRows>& block, const Column& c0, const Column& c1, const Column& c2, const Column& d0,
                    const Column& d1, const Column& d2, int q, const Target& to) {
  const __m256i s0 = block.template sum<0>(c0, c1, c2);
  const __m256i s1 = kColumns == 2 ? block.template sum<0>(d0, d1, d2) : s0;
  __m256i s2 = s0, s3 = s0;
  if constexpr (kRows == 2) {
    s2 = block.template sum<1>(c0, c1, c2);
    s3 = kColumns == 2 ? block.template sum<1>(d0, d1, d2) : s2;
  }
  std::byte* dst = to.dst + q * to.pitch;
  if (kRows == 1 && !to.integer_alone) {
    const std::byte* residual = to.residual != nullptr ? to.residual + q * to.residual_pitch : nullptr;
    store_vector(s0, block.m_at, block.b_at, residual, block.e, kBlock, dst);
    if (kColumns == 1) return;
    if (residual != nullptr) residual += to.residual_pitch;
    store_vector(s1, block.m_at, block.b_at, residual, block.e, kBlock, dst + to.pitch);
    return;
  }
  const __m256i bytes = block.packed(s0, s1, s2, s3);
  const auto store = [&](__m128i two, std::byte * at) __attribute__((always_inline)) {
    store_low(two, at);
    if (kColumns == 2) store_high(two, at + to.pitch);
  };
  store(_mm256_castsi256_si128(bytes), dst);
  if (kRows == 2) store(_mm256_extracti128_si256(bytes, 1), dst + to.row_bytes);
}

template <bool kS8, int kStride, int kRows>
void rows_3x3(const DepthwiseRow& a) {
  for (int c0 = 0; c0 + kBlock <= a.channels; c0 += kBlock) {
    const Source<kS8, kRows> source(a, c0);
    const Block<kRows> block(a, c0);
    const Target to(a, c0);
    std::int64_t x = -a.pad_left;
    int q = 0;
    Column first = source.column(x);
    if constexpr (kStride == 1) {
      Column second = source.column(x + 1);
      for (; q + 2 <= a.q; q += 2, x += 2) {
        const Column third = source.column(x + 2), fourth = source.column(x + 3);
        outputs<kRows, 2>(block, first, second, third, second, third, fourth, q, to);
        first = third;
        second = fourth;
      }
      if (q < a.q) {
        outputs<kRows, 1>(block, first, second, source.column(x + 2), first, first, first, q, to);
      }
    } else {
      for (; q + 2 <= a.q; q += 2, x += 4) {
        const Column second = source.column(x + 1), third = source.column(x + 2);
        const Column fourth = source.column(x + 3), fifth = source.column(x + 4);
        outputs<kRows, 2>(block, first, second, third, third, fourth, fifth, q, to);
        first = fifth;
      }
      if (q < a.q) {
        outputs<kRows, 1>(block, first, source.column(x + 1), source.column(x + 2), first, first, first, q, to);
      }
    }
  }
}

template <bool kS8>
void row_of(const DepthwiseRow& a) {
  int done = a.channels / kBlock * kBlock;
  if (a.kernel_h == 3 && a.kernel_w == 3 && a.stride_w == 1) {
    rows_3x3<kS8, 1, 1>(a);
  } else if (a.kernel_h == 3 && a.kernel_w == 3 && a.stride_w == 2) {
    rows_3x3<kS8, 2, 1>(a);
  } else {
    done = 0;
  }
  general_row<kS8>(a, done);
}

template <bool kS8>
void row_pair_of(const DepthwiseRow& a) {
  if (a.output_rows == 1) return row_of<kS8>(a);
  rows_3x3<kS8, 1, 2>(a);
  const int done = a.channels / kBlock * kBlock;
  general_row<kS8>(a, done);
  DepthwiseRow lower = a;
  ++lower.rows;
  lower.dst += a.dst_row_bytes;
  general_row<kS8>(lower, done);
}

void row(const DepthwiseRow& a) { a.src_s8 ? row_of<true>(a) : row_of<false>(a); }
void row_pair(const DepthwiseRow& a) { a.src_s8 ? row_pair_of<true>(a) : row_pair_of<false>(a); }

}  // namespace

const DepthwiseSet kDepthwiseAvx2 = {.block = kBlock,
                                     .group = 2,
                                     .element_bytes = 2,
                                     .biased = false,
                                     .weight_channel = [](int lane) { return lane; },
                                     .shuffled = false,
                                     .by_column = true,
                                     .row = row,
                                     .flat_row = nullptr,
                                     .flat_row_stride2 = nullptr,
                                     .row_pair = row_pair,
                                     .flat_row_pair = nullptr};

}  // namespace gpueval::cpu
#endif
