// SPDX-License-Identifier: Apache-2.0
// Register-only loops, one set an instruction-set level. Included by translation units with their own -m flags: plain
// structs only.
#pragma once

#include <cstdint>

namespace gpueval::cpu {

// run(n): n rounds; the returned number depends on every round, so that nothing can be left out.
struct RoofLoop {
  std::int64_t (*run)(std::int64_t rounds);
  int operations;  // of one round, a multiply-add counted as two
};
struct RoofLoops {
  RoofLoop int8, f32;
};

extern const RoofLoops kRoofPortable;
#if defined(__x86_64__)
extern const RoofLoops kRoofAvx2;
#if defined(GPUEVAL_AVX_VNNI)
extern const RoofLoop kRoofAvxVnniInt8;
#endif
extern const RoofLoops kRoofAvx512Vnni;
extern const RoofLoop kRoofAmxInt8;
#endif

}  // namespace gpueval::cpu
