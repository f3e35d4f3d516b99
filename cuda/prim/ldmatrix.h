// SPDX-License-Identifier: Apache-2.0
// ldmatrix: four 8 x 16-byte matrices from shared memory into fragments. Lane 8 * i + r gives the offset of row r of
// matrix i (16-byte aligned), or its address; lane l receives in r[i] the four bytes 4 * (l % 4) of row l / 4 of matrix
// i. sm_75.
#pragma once

#include "cuda/prim/shared.h"

namespace gpueval::GPUEVAL_TARGET {

GPUEVAL_DEVICE void ldmatrix_x4(std::uint32_t (&r)[4], SharedAddress address) {
#if defined(__CUDACC__)
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address.value)
               : "memory");
#else
  emulator::device::ldmatrix_x4(r, address.value);
#endif
}
GPUEVAL_DEVICE void ldmatrix_x4(std::uint32_t (&r)[4], std::uint32_t offset) { ldmatrix_x4(r, SharedAddress(offset)); }

}  // namespace gpueval::GPUEVAL_TARGET
