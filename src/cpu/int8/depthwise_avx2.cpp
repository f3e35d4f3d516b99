// SPDX-License-Identifier: Apache-2.0
// AVX2 depthwise rows: 16 channels, taps in pairs: two taps widened to s16 and interleaved feed one vpmaddwd a tap
// pair.
#if defined(__x86_64__)
#include "cpu/int8/depthwise_row.h"
#include "cpu/int8/epilogue_avx2.h"

namespace gpueval::cpu {
namespace {

constexpr int kFewTaps = 32;
alignas(16) constexpr std::byte kZeros[16] = {};

// The taps of a row's first output, down the columns; out-of-image rows stand still on zeros.
struct Taps {
  const std::byte* at[kFewTaps + 1];
  std::int64_t moves[kFewTaps + 1];  // all ones, or 0: and-ed to offsets

  explicit Taps(const DepthwiseRow& a) {
    const int taps = a.kernel_h * a.kernel_w;
    for (int t = 0; t <= taps && t <= kFewTaps; ++t) {
      const std::byte* row = t < taps ? a.rows[t % a.kernel_h] : nullptr;
      moves[t] = row != nullptr ? -1 : 0;
      at[t] = row != nullptr ? row + t / a.kernel_h * a.pixel_bytes : kZeros;
    }
  }
};

template <bool kS8>
inline __m256i load_channels(const std::byte* at, int channels) {
  __m128i bytes;
  if (channels >= 16) {
    bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  } else if (channels == 8) {
    bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
  } else {
    std::byte copy[16] = {};
    copy_bytes(copy, at, channels);
    bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(copy));
  }
  return kS8 ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
}

// Sums of 16 channels; tap(t) gives tap t as s16, and zeros for the one that fills the last pair.
template <typename Tap>
inline void sum_taps(int taps, const __m256i* w, __m256i* sums, Tap&& tap) {
  __m256i lo = _mm256_setzero_si256(), hi = lo;
  for (int t = 0; t < taps; t += 2, w += 2) {
    const __m256i even = tap(t), odd = tap(t + 1);
    lo = _mm256_add_epi32(lo, _mm256_madd_epi16(_mm256_unpacklo_epi16(even, odd), _mm256_load_si256(w)));
    hi = _mm256_add_epi32(hi, _mm256_madd_epi16(_mm256_unpackhi_epi16(even, odd), _mm256_load_si256(w + 1)));
  }
  // Back to channel order: lo has channels 0-3 and 8-11, hi 4-7 and 12-15.
  sums[0] = _mm256_permute2x128_si256(lo, hi, 0x20);
  sums[1] = _mm256_permute2x128_si256(lo, hi, 0x31);
}

template <bool kS8>
inline void pixel(const DepthwiseRow& a, const Taps& table, int q, int c0, int channels) {
  const int column = q * a.stride_w - a.pad_left;
  const int taps = a.kernel_h * a.kernel_w;
  const auto* w = reinterpret_cast<const __m256i*>(a.weights) + c0 / 16 * ((taps + 1) / 2) * 2;
  __m256i sums[2];
  if (taps <= kFewTaps && column >= 0 && column + a.kernel_w <= a.w) {
    const std::int64_t offset = column * a.pixel_bytes + c0;
    const auto tap = [&](int t) __attribute__((always_inline)) {
      return load_channels<kS8>(table.at[t] + (offset & table.moves[t]), channels);
    };
    if (taps == 9) {
      sum_taps(9, w, sums, tap);
    } else {
      sum_taps(taps, w, sums, tap);
    }
  } else {
    sum_taps(taps, w, sums, [&](int t) {
      const int r = t % a.kernel_h, x = column + t / a.kernel_h;
      if (t >= taps || a.rows[r] == nullptr || x < 0 || x >= a.w) return _mm256_setzero_si256();
      return load_channels<kS8>(a.rows[r] + x * a.pixel_bytes + c0, channels);
    });
  }
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
  for (int j = 0; j < 2 && j * 8 < channels; ++j) {
    const int c = c0 + j * 8, left = channels - j * 8;
    store_vector(sums[j], a.m + c, a.b + c, a.residual ? a.residual + q * a.residual_pitch + c : nullptr, *a.epilogue,
                 left < 8 ? left : 8, a.dst + q * a.dst_pitch + c * bytes);
  }
}

template <bool kS8>
void row_of(const DepthwiseRow& a) {
  const Taps table(a);
  int c0 = 0;
  for (; c0 + 16 <= a.channels; c0 += 16) {
    for (int q = 0; q < a.q; ++q) pixel<kS8>(a, table, q, c0, 16);
  }
  for (int q = 0; c0 < a.channels && q < a.q; ++q) pixel<kS8>(a, table, q, c0, a.channels - c0);
}

void row(const DepthwiseRow& a) { a.src_s8 ? row_of<true>(a) : row_of<false>(a); }

}  // namespace

const DepthwiseSet kDepthwiseAvx2 = {
    .block = 16,
    .group = 2,
    .element_bytes = 2,
    .biased = false,
    .weight_channel = [](int lane) { return lane % 8 / 4 * 8 + lane / 8 * 4 + lane % 4; },
    .shuffled = false,
    .by_column = false,
    .row = row,
    .flat_row = nullptr,
    .flat_row_stride2 = nullptr,
    .row_pair = nullptr,
    .flat_row_pair = nullptr};

}  // namespace gpueval::cpu
#endif
