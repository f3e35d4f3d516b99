// SPDX-License-Identifier: Apache-2.0
// 16 independent accumulators hide the latency of vpdpbusd and vfmadd (4 to 5 cycles, two a cycle at most).
#include <immintrin.h>

#include "cpu/roof/roof_chains.h"
#include "cpu/roof/roof_loops.h"

namespace gpueval::cpu {
namespace {

constexpr int kChains = 16;

std::int64_t run_int8(std::int64_t rounds) {
  __m512i a = _mm512_set1_epi32(0x01020304), b = _mm512_set1_epi32(0x05fb07f9);
  asm volatile("" : "+v"(a), "+v"(b));  // not constants to the compiler
#define GPUEVAL_START(i) __m512i c##i = _mm512_setzero_si512();
#define GPUEVAL_STEP(i)                   \
  c##i = _mm512_dpbusd_epi32(c##i, a, b); \
  asm volatile("" : "+v"(c##i));
#define GPUEVAL_SUM(i) sum = _mm512_add_epi32(sum, c##i);
  GPUEVAL_ROOF_CHAINS_16(GPUEVAL_START)
  for (std::int64_t round = 0; round < rounds; ++round) {
    GPUEVAL_ROOF_CHAINS_16(GPUEVAL_STEP)
  }
  __m512i sum = _mm512_setzero_si512();
  GPUEVAL_ROOF_CHAINS_16(GPUEVAL_SUM)
#undef GPUEVAL_START
#undef GPUEVAL_STEP
#undef GPUEVAL_SUM
  return _mm_cvtsi128_si32(_mm512_castsi512_si128(sum));
}

std::int64_t run_f32(std::int64_t rounds) {
  __m512 a = _mm512_set1_ps(0.5f), b = _mm512_set1_ps(1.0f);
  asm volatile("" : "+v"(a), "+v"(b));  // not constants to the compiler
#define GPUEVAL_START(i) __m512 c##i = _mm512_setzero_ps();
#define GPUEVAL_STEP(i)               \
  c##i = _mm512_fmadd_ps(c##i, a, b); \
  asm volatile("" : "+v"(c##i));
#define GPUEVAL_SUM(i) sum = _mm512_add_ps(sum, c##i);
  GPUEVAL_ROOF_CHAINS_16(GPUEVAL_START)
  for (std::int64_t round = 0; round < rounds; ++round) {
    GPUEVAL_ROOF_CHAINS_16(GPUEVAL_STEP)
  }
  __m512 sum = _mm512_setzero_ps();
  GPUEVAL_ROOF_CHAINS_16(GPUEVAL_SUM)
#undef GPUEVAL_START
#undef GPUEVAL_STEP
#undef GPUEVAL_SUM
  return static_cast<std::int64_t>(_mm512_cvtss_f32(sum));
}

}  // namespace

const RoofLoops kRoofAvx512Vnni = {{run_int8, 2 * 64 * kChains}, {run_f32, 2 * 16 * kChains}};

}  // namespace gpueval::cpu
