// SPDX-License-Identifier: Apache-2.0
// The loop of lookup() in elementwise.h, part of int8_ops.inl.h. pshufb looks up 16 bytes of a table, and gives 0 where
// the index is negative; vpermi2b (AVX-512 VBMI, which not every CPU with AVX-512 has) 128.
#pragma once

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "cpu/int8/ops_set.h"

namespace gpueval::cpu {
namespace {

void lookup_each(const LookupRun& caller, std::int64_t first) {
  const LookupRun run = caller;
  const auto* __restrict src = reinterpret_cast<const std::uint8_t*>(run.src);
  const std::uint8_t* __restrict table = run.table;
  auto* __restrict dst = reinterpret_cast<std::uint8_t*>(run.dst);
  for (std::int64_t i = first; i < run.count; ++i) dst[i] = table[src[i]];
}

#if defined(__AVX2__)
// The 16 parts of the table one after the other, the index 16 less each time. Where it is not negative the part adds
// (exclusive or) what turns the parts before it into itself; from 128 on the index begins as negative, and part j - 8
// is the first one heard.
std::int64_t lookup_avx2(const LookupRun& run) {
  __m256i parts[16];
  for (int j = 0; j < 16; ++j) {
    const auto part = [&](int i) {
      if (i < 0) return _mm_setzero_si128();
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(run.table + 16 * i));
    };
    __m128i change = _mm_xor_si128(part(j), part(j - 1));
    if (j >= 8) change = _mm_xor_si128(change, _mm_xor_si128(part(j - 8), part(j - 9)));
    parts[j] = _mm256_broadcastsi128_si256(change);
  }
  const __m256i step = _mm256_set1_epi8(16);
  std::int64_t i = 0;
  for (; i + 32 <= run.count; i += 32) {
    __m256i index = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(run.src + i));
    __m256i result = _mm256_shuffle_epi8(parts[0], index);
    for (int j = 1; j < 16; ++j) {
      // From the ninth on what is negative stays so.
      index = j <= 8 ? _mm256_sub_epi8(index, step) : _mm256_subs_epi8(index, step);
      result = _mm256_xor_si256(result, _mm256_shuffle_epi8(parts[j], index));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(run.dst + i), result);
  }
  return i;
}
#endif

#if defined(__AVX512BW__)
__attribute__((target("avx512vbmi"))) std::int64_t lookup_vbmi(const LookupRun& run) {
  __m512i table[4];
  for (int j = 0; j < 4; ++j) table[j] = _mm512_loadu_si512(run.table + 64 * j);
  std::int64_t i = 0;
  for (; i + 64 <= run.count; i += 64) {
    const __m512i index = _mm512_loadu_si512(run.src + i);
    const __m512i low = _mm512_permutex2var_epi8(table[0], index, table[1]);
    const __m512i high = _mm512_permutex2var_epi8(table[2], index, table[3]);
    _mm512_storeu_si512(run.dst + i, _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high));
  }
  return i;
}
#endif

void lookup(const LookupRun& run) {
  std::int64_t done = 0;
#if defined(__AVX512BW__)
  static const bool vbmi = __builtin_cpu_supports("avx512vbmi") != 0;
  if (vbmi) done = lookup_vbmi(run);
#endif
#if defined(__AVX2__)
  if (done == 0) done = lookup_avx2(run);
#endif
  lookup_each(run, done);
}

}  // namespace
}  // namespace gpueval::cpu
