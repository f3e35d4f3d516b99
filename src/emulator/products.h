// SPDX-License-Identifier: Apache-2.0
// The sums behind mma and wgmma: 8 x 8 int32 of 8 x 16 bytes times 8 x 16 bytes transposed.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gpueval::emulator {

// 8 rows of 16 bytes as 16-bit numbers.
struct Wide {
  alignas(16) std::int16_t at[8 * 16];
};

template <typename Byte>
void widen(const void* rows, Wide& wide) {
  Byte bytes[128];
  std::memcpy(bytes, rows, sizeof bytes);
  for (int i = 0; i < 128; ++i) wide.at[i] = bytes[i];
}

// The columns of B^T as pairs along the depth, so that one multiply-add is half a row of C wide.
struct Pairs {
  alignas(16) std::uint32_t at[8][8];  // [k / 2][column]
};

inline void pair_up(const void* rows, Pairs& pairs) {
  Wide wide;
  widen<std::int8_t>(rows, wide);
  for (int column = 0; column < 8; ++column) {
    std::uint32_t row[8];
    std::memcpy(row, wide.at + 16 * column, sizeof row);
    for (int k = 0; k < 8; ++k) pairs.at[k][column] = row[k];
  }
}

// C (8 x 8) += A (8 x 16) * B^T, wrapping. |sums| of 16 products stay below 2^24.
#if defined(__SSE2__)
inline void multiply(const Wide& a, const Pairs& b, std::uint32_t (&c)[8][8]) {
  for (int row = 0; row < 8; ++row) {
    auto* out = reinterpret_cast<__m128i*>(c[row]);
    __m128i left = _mm_load_si128(out), right = _mm_load_si128(out + 1);
    for (int k = 0; k < 8; ++k) {
      int pair;
      std::memcpy(&pair, &a.at[16 * row + 2 * k], sizeof pair);
      const __m128i both = _mm_set1_epi32(pair);
      const auto* columns = reinterpret_cast<const __m128i*>(b.at[k]);
      left = _mm_add_epi32(left, _mm_madd_epi16(both, _mm_load_si128(columns)));
      right = _mm_add_epi32(right, _mm_madd_epi16(both, _mm_load_si128(columns + 1)));
    }
    _mm_store_si128(out, left);
    _mm_store_si128(out + 1, right);
  }
}
#else
inline void multiply(const Wide& a, const Pairs& b, std::uint32_t (&c)[8][8]) {
  for (int row = 0; row < 8; ++row) {
    for (int k = 0; k < 8; ++k) {
      for (int column = 0; column < 8; ++column) {
        std::int16_t pair[2];
        std::memcpy(pair, &b.at[k][column], sizeof pair);
        const int sum = a.at[16 * row + 2 * k] * pair[0] + a.at[16 * row + 2 * k + 1] * pair[1];
        c[row][column] += static_cast<std::uint32_t>(sum);
      }
    }
  }
}
#endif

}  // namespace gpueval::emulator
