// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/isa.h"

#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#endif

#include <array>
#include <cstdlib>

#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

constexpr std::array kLevels = {Isa::kPortable, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512Vnni, Isa::kAmx};

CacheSizes read_cache_sizes() {
  CacheSizes sizes;
#ifdef _SC_LEVEL1_DCACHE_SIZE
  if (const long l1 = sysconf(_SC_LEVEL1_DCACHE_SIZE); l1 > 0) sizes.l1 = l1;
  if (const long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE); l2 > 0) sizes.l2 = l2;
#endif
  return sizes;
}

#if defined(__x86_64__) && defined(__linux__)
// The CPU has matrix tiles, and the system saves them and grants them to this process, which has to ask.
bool request_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kOsXsave = 1u << 27, kTile = 1u << 24, kInt8 = 1u << 25;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kOsXsave) == 0) return false;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kTile) == 0 || (d & kInt8) == 0) return false;
  unsigned low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr unsigned kTileState = 3u << 17;
  if ((low & kTileState) != kTileState) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#else
bool request_amx() { return false; }
#endif

#if defined(GPUEVAL_AVX_VNNI)
// vpdpbusd on 256-bit registers without AVX-512: an extension of AVX2, whose registers the system saves.
bool has_avx_vnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kAvxVnni = 1u << 4;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || a < 1) return false;  // a: the last subleaf
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & kAvxVnni) != 0;
}
#else
bool has_avx_vnni() { return false; }  // the compiler of this build did not know it (flags.cmake)
#endif

}  // namespace

std::string to_string(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return "portable";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvxVnni:
      return "avx_vnni";
    case Isa::kAvx512Vnni:
      return "avx512_vnni";
    case Isa::kAmx:
      return "amx";
  }
  return "unknown";
}

bool usable(Isa isa) {
  if (isa == Isa::kPortable) return true;
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::kAvx2) return avx2;
  static const bool avx_vnni = has_avx_vnni();  // once: a virtual machine traps cpuid, which takes many microseconds
  if (isa == Isa::kAvxVnni) return avx2 && avx_vnni;
  const bool vnni = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vnni");
  if (isa == Isa::kAvx512Vnni) return vnni;
  static const bool amx = request_amx();
  return vnni && amx;
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

Isa vector_isa(Isa isa) { return isa == Isa::kAmx ? Isa::kAvx512Vnni : isa == Isa::kAvxVnni ? Isa::kAvx2 : isa; }

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
    fail_usage("GPUEVAL_CPU_ISA is '{}', expected one of portable, avx2, avx_vnni, avx512_vnni, amx", forced);
  }
  if (!usable(*isa)) fail_usage("GPUEVAL_CPU_ISA asks for '{}', which this CPU or this build does not have", forced);
  return *isa;
}

const CacheSizes& cache_sizes() {
  static const CacheSizes sizes = read_cache_sizes();
  return sizes;
}

}  // namespace gpueval::cpu
