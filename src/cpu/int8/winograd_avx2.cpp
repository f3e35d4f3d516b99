// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include "cpu/int8/winograd_avx2.inl.h"

namespace gpueval::cpu {
namespace {

struct Avx2 : Avx2Vectors {
  static void multiply_add(Sums& acc, const Sums& x, const Sums& w) {
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(x, w));
  }
};

}  // namespace

const WinogradSet kWinogradAvx2 = kWinogradOf256Bits<Avx2>;

}  // namespace gpueval::cpu
#endif
