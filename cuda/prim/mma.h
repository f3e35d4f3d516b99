// SPDX-License-Identifier: Apache-2.0
// Tensor-core products of 8-bit integers, acc += A * B^T with int32 accumulators that wrap, never saturate. A signed or
// unsigned, B signed. Fragments (PTX ISA, "Matrix fragments for mma"), g = lane / 4, q = lane % 4:
//   m16n8k32 (sm_80): a[0] = A[g][4q..], a[1] = A[g + 8][4q..], a[2] = A[g][16 + 4q..], a[3] = A[g + 8][16 + 4q..];
//     b[0] = B[g][4q..], b[1] = B[g][16 + 4q..]; acc[0..1] = C[g][2q..], acc[2..3] = C[g + 8][2q..]
//   m8n8k16 (sm_75): a = A[g][4q..], b = B[g][4q..], acc[0..1] = C[g][2q..]
#pragma once

#include "cuda/prim/target.h"
#if !defined(__CUDACC__)
#include "emulator/device.h"
#endif

namespace gpueval::GPUEVAL_TARGET {

template <bool kUnsignedA>
GPUEVAL_DEVICE void mma_m16n8k32(int (&acc)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
#if defined(__CUDACC__)
#if GPUEVAL_HAS_SM(80)
  if constexpr (kUnsignedA) {
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+r"(acc[0]), "+r"(acc[1]), "+r"(acc[2]), "+r"(acc[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+r"(acc[0]), "+r"(acc[1]), "+r"(acc[2]), "+r"(acc[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
#else
  __trap();  // never launched there: the row's min_sm is 80
#endif
#else
  emulator::device::mma_m16n8k32(acc, a, b0, b1, kUnsignedA);
#endif
}

template <bool kUnsignedA>
GPUEVAL_DEVICE void mma_m8n8k16(int (&acc)[2], std::uint32_t a, std::uint32_t b) {
#if defined(__CUDACC__)
  if constexpr (kUnsignedA) {
    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.u8.s8.s32 {%0,%1}, {%2}, {%3}, {%0,%1};"
                 : "+r"(acc[0]), "+r"(acc[1])
                 : "r"(a), "r"(b));
  } else {
    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0,%1}, {%2}, {%3}, {%0,%1};"
                 : "+r"(acc[0]), "+r"(acc[1])
                 : "r"(a), "r"(b));
  }
#else
  emulator::device::mma_m8n8k16(acc, a, b, kUnsignedA);
#endif
}

}  // namespace gpueval::GPUEVAL_TARGET
