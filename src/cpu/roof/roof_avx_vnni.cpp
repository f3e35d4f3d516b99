// SPDX-License-Identifier: Apache-2.0
// 12 independent accumulators hide the latency of vpdpbusd and leave room for the operands in sixteen registers.
#if defined(GPUEVAL_AVX_VNNI)
#include <immintrin.h>

#include "cpu/roof/roof_chains.h"
#include "cpu/roof/roof_loops.h"

namespace gpueval::cpu {
namespace {

constexpr int kChains = 12;

std::int64_t run_int8(std::int64_t rounds) {
  __m256i a = _mm256_set1_epi32(0x01020304), b = _mm256_set1_epi32(0x05fb07f9);
  asm volatile("" : "+x"(a), "+x"(b));  // not constants to the compiler
#define GPUEVAL_START(i) __m256i c##i = _mm256_setzero_si256();
#define GPUEVAL_STEP(i) asm volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(c##i) : "x"(a), "x"(b));
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

}  // namespace

const RoofLoop kRoofAvxVnniInt8 = {run_int8, 2 * 32 * kChains};

}  // namespace gpueval::cpu
#endif
