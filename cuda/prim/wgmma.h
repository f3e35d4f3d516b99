// SPDX-License-Identifier: Apache-2.0
// Hopper's tensor-core product of a warpgroup (four warps), acc (64 x n) += A (64 x 32) * B (n x 32)^T: bytes from
// shared memory, A signed or unsigned, B signed, int32 sums that wrap. A product runs on after its instruction:
//   wgmma_fence(); wgmma<n, unsigned>(acc, a, b); ...; wgmma_commit(); ...; wgmma_wait<groups still under way>();
// Until then nobody may touch the accumulators, nor write what the product reads. Lane l = 4 g + q of warp w holds
// acc[4 j + 2 h + e] = C[16 w + 8 h + g][8 j + 2 q + e], the fragment of mma m16n8k32. sm_90 alone.
#pragma once

#include "cuda/prim/shared.h"

#if defined(__CUDA_ARCH__) && !defined(__CUDA_ARCH_FEAT_SM90_ALL)
#error "code for sm_90a alone: cuda/CMakeLists.txt compiles files named *wgmma*.cu for it"
#endif

namespace gpueval::GPUEVAL_TARGET {

// The compute capability x 10 that has it: no newer one does.
inline constexpr int kWgmmaSm = 90;

// Where an operand lies (PTX ISA, "Matrix Descriptor Format"; K-major, 128-byte swizzle): rows of 128 bytes whose
// 16-byte chunks are turned by the row (mma_tile.h, chunk_offset). offset: 1024-byte aligned; group_bytes: from 8 rows
// to the next 8. The next 32 bytes of depth are kWgmmaDepth further, n bytes of shared memory n / 16.
constexpr std::uint64_t kWgmmaDepth = 2;
GPUEVAL_DEVICE std::uint64_t wgmma_descriptor(std::uint32_t offset, std::uint32_t group_bytes) {
#if defined(__CUDACC__)
  const std::uint32_t address = shared_address(offset);
#else
  const std::uint32_t address = offset;
#endif
  constexpr std::uint64_t kSwizzle128 = std::uint64_t{1} << 62, kLeading = 1 << 16;  // kLeading: means nothing here
  return kSwizzle128 | static_cast<std::uint64_t>(group_bytes / 16) << 32 | kLeading | (address / 16 & 0x3fff);
}

#if defined(__CUDACC__)
GPUEVAL_DEVICE void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
GPUEVAL_DEVICE void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int kPending>
GPUEVAL_DEVICE void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}
// Behind the last wait: the compiler must not read them before.
template <int kCount>
GPUEVAL_DEVICE void wgmma_take(int (&acc)[kCount]) {
  GPUEVAL_UNROLL
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+r"(acc[i])::"memory");
}

#define GPUEVAL_WGMMA_REGISTERS_32                        \
  "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15" \
  ",%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
#define GPUEVAL_WGMMA_REGISTERS_64                                   \
  GPUEVAL_WGMMA_REGISTERS_32                                         \
  ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47" \
  ",%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"
#define GPUEVAL_WGMMA_REGISTERS_128                                              \
  GPUEVAL_WGMMA_REGISTERS_64                                                     \
  ",%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79"             \
  ",%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95"             \
  ",%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111" \
  ",%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127"
#define GPUEVAL_WGMMA_SUMS_8(i)                                                                           \
  "+r"(acc[i]), "+r"(acc[i + 1]), "+r"(acc[i + 2]), "+r"(acc[i + 3]), "+r"(acc[i + 4]), "+r"(acc[i + 5]), \
      "+r"(acc[i + 6]), "+r"(acc[i + 7])
#define GPUEVAL_WGMMA_SUMS_32(i) \
  GPUEVAL_WGMMA_SUMS_8(i), GPUEVAL_WGMMA_SUMS_8(i + 8), GPUEVAL_WGMMA_SUMS_8(i + 16), GPUEVAL_WGMMA_SUMS_8(i + 24)
#define GPUEVAL_WGMMA_SUMS_64(i) GPUEVAL_WGMMA_SUMS_32(i), GPUEVAL_WGMMA_SUMS_32(i + 32)
#define GPUEVAL_WGMMA_SUMS_128(i) GPUEVAL_WGMMA_SUMS_64(i), GPUEVAL_WGMMA_SUMS_64(i + 64)
#define GPUEVAL_WGMMA(n, type, count, a, b)                                                                       \
  asm volatile("{\n.reg .pred add;\nsetp.ne.b32 add, 1, 0;\nwgmma.mma_async.sync.aligned.m64n" #n "k32.s32." type \
               ".s8 {" GPUEVAL_WGMMA_REGISTERS_##count "}, %" #a ", %" #b ", add;\n}"                             \
               : GPUEVAL_WGMMA_SUMS_##count(0)                                                                    \
               : "l"(source), "l"(weights))

template <int kN, bool kUnsignedA>
GPUEVAL_DEVICE void wgmma(int (&acc)[kN / 2], std::uint64_t source, std::uint64_t weights) {
  static_assert(kN == 64 || kN == 128 || kN == 256);
  if constexpr (kN == 64) {
    if constexpr (kUnsignedA) {
      GPUEVAL_WGMMA(64, "u8", 32, 32, 33);
    } else {
      GPUEVAL_WGMMA(64, "s8", 32, 32, 33);
    }
  } else if constexpr (kN == 128) {
    if constexpr (kUnsignedA) {
      GPUEVAL_WGMMA(128, "u8", 64, 64, 65);
    } else {
      GPUEVAL_WGMMA(128, "s8", 64, 64, 65);
    }
  } else {
    if constexpr (kUnsignedA) {
      GPUEVAL_WGMMA(256, "u8", 128, 128, 129);
    } else {
      GPUEVAL_WGMMA(256, "s8", 128, 128, 129);
    }
  }
}
#else
inline void wgmma_fence() { emulator::device::wgmma_fence(); }
inline void wgmma_commit() { emulator::device::wgmma_commit(); }
template <int kPending>
void wgmma_wait() {
  emulator::device::wgmma_wait(kPending);
}
template <int kCount>
void wgmma_take(int (&)[kCount]) {}
template <int kN, bool kUnsignedA>
void wgmma(int (&acc)[kN / 2], std::uint64_t source, std::uint64_t weights) {
  emulator::device::wgmma(acc, kN, source, weights, kUnsignedA);
}
#endif

}  // namespace gpueval::GPUEVAL_TARGET
