// SPDX-License-Identifier: Apache-2.0
// Four products of 8-bit integers summed into 32 bits: c + sum_i a_i * b_i, b signed, a signed or unsigned.
#pragma once

#include "cuda/prim/target.h"
#if !defined(__CUDACC__)
#include "emulator/device.h"
#endif

namespace gpueval::GPUEVAL_TARGET {

template <bool kUnsignedA>
GPUEVAL_DEVICE int dp4a(std::uint32_t a, std::uint32_t b, int c) {
#if defined(__CUDACC__)
  int d;
  if constexpr (kUnsignedA) {
    asm("dp4a.u32.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  } else {
    asm("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  }
  return d;
#else
  return emulator::device::dp4a(a, b, c, kUnsignedA);
#endif
}

}  // namespace gpueval::GPUEVAL_TARGET
