// SPDX-License-Identifier: Apache-2.0
// Loops that the compiler vectorises, included by one translation unit per ISA level, which defines GPUEVAL_OPS_SET.
#include "cpu/int8/affine.inl.h"
#include "cpu/int8/elementwise.inl.h"
#include "cpu/int8/int8_pool.inl.h"

namespace gpueval::cpu {
namespace {

// Functions copy their parameters: bytes written through dst could otherwise alias them, and nothing would vectorise.

template <typename A, typename B>
void add(const ElementRun& caller) {
  const ElementRun run = caller;  // or the byte stores below could change it, and nothing would vectorise
  const A* __restrict a = reinterpret_cast<const A*>(run.a);
  const B* __restrict b = reinterpret_cast<const B*>(run.b);
  auto* dst = reinterpret_cast<std::uint8_t*>(run.dst);
  for (std::int64_t i = 0; i < run.count; ++i) {
    const float second = static_cast<float>(b[i]) * run.m2;
    dst[i] = round_clamped(__builtin_fmaf(static_cast<float>(a[i]), run.m1, second), run.lo, run.hi);
  }
}

template <typename S>
void requantize(const ElementRun& caller) {
  const ElementRun run = caller;  // or the byte stores below could change it, and nothing would vectorise
  const S* a = reinterpret_cast<const S*>(run.a);
  auto* dst = reinterpret_cast<std::uint8_t*>(run.dst);
  for (std::int64_t i = 0; i < run.count; ++i) {
    dst[i] = round_clamped(static_cast<float>(a[i]) * run.m1, run.lo, run.hi);
  }
}

// x / scale, correctly rounded, without the slow division: y = 1 / scale, then two steps of q += (x - q * scale) * y
// with exact remainders (Markstein 1990). Scales outside [2^-60, 2^60], where a remainder could underflow in a quotient
// that matters, are divided.
void quantize(const ElementRun& caller) {
  const ElementRun run = caller;  // or the byte stores below could change it, and nothing would vectorise
  const float* a = reinterpret_cast<const float*>(run.a);
  auto* __restrict dst = reinterpret_cast<std::uint8_t*>(run.dst);
  const float scale = run.m1;
#if defined(__FMA__)
  if (scale >= 0x1p-60f && scale <= 0x1p60f) {
    const float y = 1.0f / scale, most = 1024.0f * scale;  // beyond that every type saturates
    for (std::int64_t i = 0; i < run.count; ++i) {
      float x = a[i] > -most ? a[i] : -most;
      x = x < most ? x : most;
      float q = x * y;
      q = __builtin_fmaf(__builtin_fmaf(-q, scale, x), y, q);
      q = __builtin_fmaf(__builtin_fmaf(-q, scale, x), y, q);
      dst[i] = round_clamped(q, run.lo, run.hi);
    }
    return;
  }
#endif
  for (std::int64_t i = 0; i < run.count; ++i) dst[i] = round_clamped(a[i] / scale, run.lo, run.hi);
}

// Magnitudes of floats order as their bits do; integers may be compared in any order, so this vectorises.
float max_abs(const float* values, std::int64_t count) {
  std::int32_t best = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int32_t bits = __builtin_bit_cast(std::int32_t, values[i]) & 0x7fffffff;
    best = best > bits ? best : bits;
  }
  return __builtin_bit_cast(float, best);
}

using U = std::uint8_t;
using S = std::int8_t;

}  // namespace

const OpsSet GPUEVAL_OPS_SET = {
    .maximum = {maximum<U>, maximum<S>},
    .average = {average<U, U>, average<S, U>},
    .average_f32 = {average<U, float>, average<S, float>},
    .add = {{add<U, U>, add<U, S>}, {add<S, U>, add<S, S>}},
    .requantize = {requantize<U>, requantize<S>},
    .quantize = quantize,
    .affine = {affine<U, U>, affine<S, U>},
    .affine_f32 = {affine<U, float>, affine<S, float>},
    .binary = {binary<Sum>, binary<Difference>, binary<Product>, binary<Larger>, binary<Smaller>},
    .prelu = prelu,
    .lookup = lookup,
    .max_abs = max_abs,
};

}  // namespace gpueval::cpu
