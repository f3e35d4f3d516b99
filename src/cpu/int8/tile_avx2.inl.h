// SPDX-License-Identifier: Apache-2.0
// Tiles of 256-bit registers, common to AVX2 and AVX-VNNI: a row's next four source bytes (two s16 or four u8) are
// broadcast to all lanes, and kMultiplyAdd(acc, source, weights) adds each lane's products to its sum. Only for
// translation units with AVX2 flags.
#pragma once

#include "cpu/int8/epilogue_avx2.h"
#include "cpu/int8/tile.h"

namespace gpueval::cpu {
namespace {

template <auto kMultiplyAdd, int kVectors, int kRows>
void tile_of(const TileArgs& a) {
  __m256i acc[kRows][kVectors];
#pragma GCC unroll 2
  for (int j = 0; j < kVectors; ++j) {
    const __m256i start = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a.start + j * 8));
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) acc[i][j] = start;
  }
  const std::byte* weights = a.weights;
  for (int t = 0; t < a.tap_count; ++t) {
    const std::byte* x[kRows];
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) x[i] = a.taps[t * a.tap_stride + i];
    const std::int64_t end = std::int64_t{a.groups} * 4;
    for (std::int64_t c = 0; c < end; c += 4) {
      __m256i w[kVectors];
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) w[j] = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + j * 32));
      weights += kVectors * 32;
#pragma GCC unroll 12
      for (int i = 0; i < kRows; ++i) {
        int step;
        __builtin_memcpy(&step, x[i] + c, 4);
        const __m256i v = _mm256_set1_epi32(step);
#pragma GCC unroll 2
        for (int j = 0; j < kVectors; ++j) kMultiplyAdd(acc[i][j], v, w[j]);
      }
    }
  }
  const int bytes = a.epilogue->out == Out::kF32 ? 4 : 1;
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      const int left = a.channels - j * 8;
      if (left <= 0) break;
      store_vector(acc[i][j], a.m + j * 8, a.b + j * 8,
                   a.residual ? a.residual + i * a.residual_pitch + j * 8 : nullptr, *a.epilogue, left < 8 ? left : 8,
                   a.dst + i * a.dst_pitch + j * 8 * bytes);
    }
  }
}

}  // namespace
}  // namespace gpueval::cpu
