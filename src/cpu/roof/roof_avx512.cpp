// SPDX-License-Identifier: Apache-2.0
// 16 independent accumulators hide the latency of vpdpbusd and vfmadd (4 to 5 cycles, two a cycle at most).
#include <immintrin.h>

#include "cpu/roof/roof_loops.h"

namespace gpueval::cpu {
namespace {

constexpr int kChains = 16;

std::int64_t run_int8(std::int64_t rounds) {
  __m512i acc[kChains];
  __m512i a = _mm512_set1_epi32(0x01020304), b = _mm512_set1_epi32(0x05fb07f9);
  asm volatile("" : "+v"(a), "+v"(b));  // not constants to the compiler
  for (auto& chain : acc) chain = _mm512_setzero_si512();
  for (std::int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 16
    for (auto& chain : acc) {
      chain = _mm512_dpbusd_epi32(chain, a, b);
      asm volatile("" : "+v"(chain));
    }
  }
  for (int i = 1; i < kChains; ++i) acc[0] = _mm512_add_epi32(acc[0], acc[i]);
  return _mm_cvtsi128_si32(_mm512_castsi512_si128(acc[0]));
}

std::int64_t run_f32(std::int64_t rounds) {
  __m512 acc[kChains];
  __m512 a = _mm512_set1_ps(0.5f), b = _mm512_set1_ps(1.0f);
  asm volatile("" : "+v"(a), "+v"(b));
  for (auto& chain : acc) chain = _mm512_setzero_ps();
  for (std::int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 16
    for (auto& chain : acc) {
      chain = _mm512_fmadd_ps(chain, a, b);
      asm volatile("" : "+v"(chain));
    }
  }
  for (int i = 1; i < kChains; ++i) acc[0] = _mm512_add_ps(acc[0], acc[i]);
  return static_cast<std::int64_t>(_mm512_cvtss_f32(acc[0]));
}

}  // namespace

const RoofLoops kRoofAvx512Vnni = {{run_int8, 2 * 64 * kChains}, {run_f32, 2 * 16 * kChains}};

}  // namespace gpueval::cpu
