// SPDX-License-Identifier: Apache-2.0
// int8 products on AVX2 as the kernels form them: vpmaddwd on 16-bit values, then an addition.
#include <immintrin.h>

#include "cpu/roof/roof_loops.h"

namespace gpueval::cpu {
namespace {

constexpr int kChains = 12;  // and two operands and a product: within the sixteen registers

std::int64_t run_int8(std::int64_t rounds) {
  __m256i acc[kChains];
  __m256i a = _mm256_set1_epi32(0x00030002), b = _mm256_set1_epi32(0x0005fffb);
  asm volatile("" : "+x"(a), "+x"(b));  // not constants to the compiler
  for (auto& chain : acc) chain = _mm256_setzero_si256();
  for (std::int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (auto& chain : acc) {
      __m256i product = _mm256_madd_epi16(a, b);
      asm volatile("" : "+x"(product));
      chain = _mm256_add_epi32(chain, product);
    }
  }
  for (int i = 1; i < kChains; ++i) acc[0] = _mm256_add_epi32(acc[0], acc[i]);
  return _mm_cvtsi128_si32(_mm256_castsi256_si128(acc[0]));
}

std::int64_t run_f32(std::int64_t rounds) {
  __m256 acc[kChains];
  __m256 a = _mm256_set1_ps(0.5f), b = _mm256_set1_ps(1.0f);
  asm volatile("" : "+x"(a), "+x"(b));
  for (auto& chain : acc) chain = _mm256_setzero_ps();
  for (std::int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (auto& chain : acc) {
      chain = _mm256_fmadd_ps(chain, a, b);
      asm volatile("" : "+x"(chain));
    }
  }
  for (int i = 1; i < kChains; ++i) acc[0] = _mm256_add_ps(acc[0], acc[i]);
  return static_cast<std::int64_t>(_mm256_cvtss_f32(acc[0]));
}

}  // namespace

const RoofLoops kRoofAvx2 = {{run_int8, 2 * 16 * kChains}, {run_f32, 2 * 8 * kChains}};

}  // namespace gpueval::cpu
