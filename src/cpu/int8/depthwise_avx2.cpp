// SPDX-License-Identifier: Apache-2.0
// AVX2 depthwise rows: 16 channels, taps in pairs: two taps widened to s16 and interleaved feed one vpmaddwd a tap
// pair.
#if defined(__x86_64__)
#include "cpu/int8/depthwise_row.h"
#include "cpu/int8/epilogue_avx2.h"

namespace gpueval::cpu {
namespace {

// 16 channels of one tap as s16; zeros outside the image.
inline __m256i load_tap(const DepthwiseRow& a, int tap, int column, int c0, int channels) {
  const int r = tap % a.kernel_h, x = column + tap / a.kernel_h;
  if (tap >= a.kernel_h * a.kernel_w || a.rows[r] == nullptr || x < 0 || x >= a.w) return _mm256_setzero_si256();
  const std::byte* at = a.rows[r] + x * a.pixel_bytes + c0;
  __m128i bytes;
  if (channels >= 16) {
    bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  } else {
    std::byte copy[16] = {};
    copy_bytes(copy, at, channels);
    bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(copy));
  }
  return a.src_s8 ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
}

void pixel(const DepthwiseRow& a, int q, int c0, int channels) {
  const int column = q * a.stride_w - a.pad_left;
  const int taps = a.kernel_h * a.kernel_w;
  const auto* w = reinterpret_cast<const __m256i*>(a.weights) + c0 / 16 * ((taps + 1) / 2) * 2;
  __m256i lo = _mm256_setzero_si256(), hi = lo;
  for (int t = 0; t < taps; t += 2, w += 2) {
    const __m256i even = load_tap(a, t, column, c0, channels), odd = load_tap(a, t + 1, column, c0, channels);
    lo = _mm256_add_epi32(lo, _mm256_madd_epi16(_mm256_unpacklo_epi16(even, odd), _mm256_load_si256(w)));
    hi = _mm256_add_epi32(hi, _mm256_madd_epi16(_mm256_unpackhi_epi16(even, odd), _mm256_load_si256(w + 1)));
  }
  // Back to channel order: lo has channels 0-3 and 8-11, hi 4-7 and 12-15.
  const __m256i sums[2] = {_mm256_permute2x128_si256(lo, hi, 0x20), _mm256_permute2x128_si256(lo, hi, 0x31)};
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
  for (int j = 0; j < 2 && j * 8 < channels; ++j) {
    const int c = c0 + j * 8, left = channels - j * 8;
    store_vector(sums[j], a.m + c, a.b + c, a.residual ? a.residual + q * a.residual_pitch + c : nullptr, *a.epilogue,
                 left < 8 ? left : 8, a.dst + q * a.dst_pitch + c * bytes);
  }
}

void row(const DepthwiseRow& a) {
  for (int c0 = 0; c0 < a.channels; c0 += 16) {
    for (int q = 0; q < a.q; ++q) pixel(a, q, c0, a.channels - c0);
  }
}

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
