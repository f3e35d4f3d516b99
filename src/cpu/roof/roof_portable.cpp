// SPDX-License-Identifier: Apache-2.0
// What the compiler makes of plain loops for the oldest CPU it builds for; operands come from the first-level cache.
#include <cstdint>

#include "cpu/roof/roof_loops.h"

namespace gpueval::cpu {
namespace {

constexpr int kCount = 256;

template <typename In>
struct Operands {
  alignas(64) In a[kCount], b[kCount];
  Operands() {
    for (int i = 0; i < kCount; ++i) {
      a[i] = static_cast<In>(i % 7);
      b[i] = static_cast<In>(i % 5 - 2);
    }
  }
};

std::int64_t run_int8(std::int64_t rounds) {
  Operands<std::int16_t> x;
  std::uint32_t total = 0;  // wraps after many rounds
  for (std::int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : : "r"(&x) : "memory");  // the operands may have changed
    int sum = 0;
    for (int i = 0; i < kCount; ++i) sum += x.a[i] * x.b[i];
    total += static_cast<std::uint32_t>(sum);
  }
  return static_cast<std::int64_t>(total);
}

std::int64_t run_f32(std::int64_t rounds) {
  Operands<float> x;
  float total = 0;
  for (std::int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : : "r"(&x) : "memory");
    alignas(64) float sums[16] = {};  // independent: float sums are not reordered
    for (int i = 0; i < kCount; i += 16) {
      for (int j = 0; j < 16; ++j) sums[j] += x.a[i + j] * x.b[i + j];
    }
    for (const float sum : sums) total += sum;
  }
  return static_cast<std::int64_t>(total);
}

}  // namespace

const RoofLoops kRoofPortable = {{run_int8, 2 * kCount}, {run_f32, 2 * kCount}};

}  // namespace gpueval::cpu
