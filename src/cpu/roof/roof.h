// SPDX-License-Identifier: Apache-2.0
// What this CPU can do at best, measured: register-only loops of the instructions that the integer kernels use, of
// float32 fused multiply-adds, and a copy between buffers larger than the caches. Benchmarks state percentages of
// these.
#pragma once

#include <string>
#include <vector>

#include "cpu/int8/isa.h"

namespace gpueval::cpu {

struct Roofs {
  int threads = 1;
  std::string isa;        // "amx" (float32: AVX-512), "avx512_vnni", "avx_vnni" (float32: AVX2), "avx2", "portable"
  double int8_tops = 0;   // 1e12 operations a second; a multiply-add is two
  double f32_tflops = 0;  // the same, float32
  double copy_gbs = 0;    // 1e9 bytes a second, read and written bytes both counted
  std::size_t copy_bytes = 0;        // of each of the two buffers
  std::vector<std::string> remarks;  // "int8: ...", "float32: ...", "copy: ...": figures that the machine disturbed
};

struct RoofOptions {
  int threads = 0;  // 0: all
  // Of each of the three; the best of its short parts counts. On a busy machine longer, up to ten times, until three of
  // the parts agree.
  double seconds = 0.2;
  std::size_t copy_bytes = 0;  // 0: twice the last-level cache, at least 64 and at most 256 MiB
};
// Leaves set_threads() at options.threads.
Roofs measure_roofs(Isa isa, const RoofOptions& options);

// Bytes of the last-level cache as the system tells (shared by all cores); a guess of 32 MiB where it does not.
std::size_t last_level_cache_bytes();

}  // namespace gpueval::cpu
