// SPDX-License-Identifier: Apache-2.0
// Instruction-set levels of the integer kernels and what this machine can run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpueval::cpu {

enum class Isa { kPortable, kAvx2, kAvxVnni, kAvx512Vnni, kAmx };
// "portable", "avx2", "avx_vnni", "avx512_vnni", "amx": the names of the command line and of GPUEVAL_CPU_ISA.
std::string to_string(Isa isa);
bool usable(Isa isa);
Isa best_isa_level();            // best usable, or GPUEVAL_CPU_ISA (Error if unknown or not usable)
std::vector<Isa> usable_isas();  // ascending
// Of what has no kernel of the level's own: kAvx512Vnni for kAmx, kAvx2 for kAvxVnni (both only multiply), else isa.
Isa vector_isa(Isa isa);
const Isa* find_isa(std::string_view name);  // nullptr if there is no such level

// Data caches of one core in bytes; conservative guesses where the system does not tell.
struct CacheSizes {
  long l1 = 32 * 1024;
  long l2 = 512 * 1024;
};
const CacheSizes& cache_sizes();

}  // namespace gpueval::cpu
