// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/isa.h"

#include <unistd.h>

#include <array>
#include <cstdlib>

#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

constexpr std::array kLevels = {Isa::kPortable, Isa::kAvx2, Isa::kAvx512Vnni};

CacheSizes read_cache_sizes() {
  CacheSizes sizes;
#ifdef _SC_LEVEL1_DCACHE_SIZE
  if (const long l1 = sysconf(_SC_LEVEL1_DCACHE_SIZE); l1 > 0) sizes.l1 = l1;
  if (const long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE); l2 > 0) sizes.l2 = l2;
#endif
  return sizes;
}

}  // namespace

std::string to_string(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return "portable";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512Vnni:
      return "avx512_vnni";
  }
  return "unknown";
}

bool usable(Isa isa) {
  if (isa == Isa::kPortable) return true;
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::kAvx2) return avx2;
  return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

std::vector<Isa> usable_isas() {
  std::vector<Isa> found;
  for (const Isa isa : kLevels) {
    if (usable(isa)) found.push_back(isa);
  }
  return found;
}

const Isa* find_isa(std::string_view name) {
  for (const Isa& isa : kLevels) {
    if (to_string(isa) == name) return &isa;
  }
  return nullptr;
}

Isa best_isa_level() {
  const char* forced = std::getenv("GPUEVAL_CPU_ISA");
  if (forced == nullptr || *forced == '\0') return usable_isas().back();
  const Isa* isa = find_isa(forced);
  if (isa == nullptr) {
    fail_usage("GPUEVAL_CPU_ISA is '{}', expected one of portable, avx2, avx512_vnni", forced);
  }
  if (!usable(*isa)) fail_usage("GPUEVAL_CPU_ISA asks for '{}', which this CPU does not have", forced);
  return *isa;
}

const CacheSizes& cache_sizes() {
  static const CacheSizes sizes = read_cache_sizes();
  return sizes;
}

}  // namespace gpueval::cpu
