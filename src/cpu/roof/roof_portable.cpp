// SPDX-License-Identifier: Apache-2.0
// What the compiler makes of plain loops for the oldest CPU it builds for; operands come from the first-level cache.
#include <cstdint>

#include "cpu/roof/roof_loops.h"

namespace gpueval::cpu {
namespace {

constexpr int kCount = 256;

template <typename In, typename Sum>
std::int64_t run(std::int64_t rounds) {
  alignas(64) In a[kCount], b[kCount];
  for (int i = 0; i < kCount; ++i) {
    a[i] = static_cast<In>(i % 7);
    b[i] = static_cast<In>(i % 5 - 2);
  }
  Sum total = 0;
  for (std::int64_t round = 0; round < rounds; ++round) {
    asm volatile("" ::: "memory");  // the operands may have changed
    alignas(64) Sum sums[16] = {};  // independent: float sums are not reordered
    for (int i = 0; i < kCount; i += 16) {
      for (int j = 0; j < 16; ++j) sums[j] += static_cast<Sum>(a[i + j]) * static_cast<Sum>(b[i + j]);
    }
    for (const Sum sum : sums) total = static_cast<Sum>(total + sum);
  }
  return static_cast<std::int64_t>(total);
}

// Unsigned: it wraps after many rounds.
std::int64_t run_int8(std::int64_t rounds) { return run<std::int16_t, std::uint32_t>(rounds); }
std::int64_t run_f32(std::int64_t rounds) { return run<float, float>(rounds); }

}  // namespace

const RoofLoops kRoofPortable = {{run_int8, 2 * kCount}, {run_f32, 2 * kCount}};

}  // namespace gpueval::cpu
