// SPDX-License-Identifier: Apache-2.0
#if defined(GPUEVAL_AVX_VNNI)
#include "cpu/int8/winograd_avx2.inl.h"

namespace gpueval::cpu {
namespace {

struct AvxVnni : Avx2Vectors {
  // Not the intrinsic: g++ 12 copies its accumulator.
  static void multiply_add(Sums& acc, const Sums& x, const Sums& w) {
    asm("%{vex%} vpdpwssd %2, %1, %0" : "+x"(acc) : "x"(x), "x"(w));
  }
};

}  // namespace

const WinogradSet kWinogradAvxVnni = kWinogradOf256Bits<AvxVnni>;

}  // namespace gpueval::cpu
#endif
