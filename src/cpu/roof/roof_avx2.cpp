// SPDX-License-Identifier: Apache-2.0
// int8 products on AVX2 as the kernels form them: vpmaddwd on 16-bit values, then an addition.
#include <immintrin.h>

#include "cpu/roof/roof_chains.h"
#include "cpu/roof/roof_loops.h"

namespace gpueval::cpu {
namespace {

constexpr int kChains = 12;  // and two operands and a product: within the sixteen registers

std::int64_t run_int8(std::int64_t rounds) {
  __m256i a = _mm256_set1_epi32(0x00030002), b = _mm256_set1_epi32(0x0005fffb);
  asm volatile("" : "+x"(a), "+x"(b));  // not constants to the compiler
// By their instructions: the compiler would form one product and keep the sums in memory.
#define GPUEVAL_START(i) __m256i c##i = _mm256_setzero_si256();
#define GPUEVAL_STEP(i)                                                                                     \
  {                                                                                                         \
    __m256i product;                                                                                        \
    asm volatile("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(c##i), "=&x"(product) : "x"(a), "x"(b)); \
  }
#define GPUEVAL_SUM(i) sum = _mm256_add_epi32(sum, c##i);
  GPUEVAL_ROOF_CHAINS_12(GPUEVAL_START)
  for (std::int64_t round = 0; round < rounds; ++round) {
    GPUEVAL_ROOF_CHAINS_12(GPUEVAL_STEP)
  }
  __m256i sum = _mm256_setzero_si256();
  GPUEVAL_ROOF_CHAINS_12(GPUEVAL_SUM)
#undef GPUEVAL_START
#undef GPUEVAL_STEP
#undef GPUEVAL_SUM
  return _mm_cvtsi128_si32(_mm256_castsi256_si128(sum));
}

std::int64_t run_f32(std::int64_t rounds) {
  __m256 a = _mm256_set1_ps(0.5f), b = _mm256_set1_ps(1.0f);
  asm volatile("" : "+x"(a), "+x"(b));  // not constants to the compiler
#define GPUEVAL_START(i) __m256 c##i = _mm256_setzero_ps();
#define GPUEVAL_STEP(i)               \
  c##i = _mm256_fmadd_ps(c##i, a, b); \
  asm volatile("" : "+x"(c##i));
#define GPUEVAL_SUM(i) sum = _mm256_add_ps(sum, c##i);
  GPUEVAL_ROOF_CHAINS_12(GPUEVAL_START)
  for (std::int64_t round = 0; round < rounds; ++round) {
    GPUEVAL_ROOF_CHAINS_12(GPUEVAL_STEP)
  }
  __m256 sum = _mm256_setzero_ps();
  GPUEVAL_ROOF_CHAINS_12(GPUEVAL_SUM)
#undef GPUEVAL_START
#undef GPUEVAL_STEP
#undef GPUEVAL_SUM
  return static_cast<std::int64_t>(_mm256_cvtss_f32(sum));
}

}  // namespace

const RoofLoops kRoofAvx2 = {{run_int8, 2 * 16 * kChains}, {run_f32, 2 * 8 * kChains}};

}  // namespace gpueval::cpu
