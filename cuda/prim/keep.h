// SPDX-License-Identifier: Apache-2.0
// A number or pointer that a loop must find in a register. The compiler derives cheap expressions anew wherever they
// are used; what comes out of keep_in_register() has no expression for it to repeat.
#pragma once

#include "cuda/prim/target.h"

namespace gpueval::GPUEVAL_TARGET {

template <typename T>
GPUEVAL_DEVICE void keep_in_register([[maybe_unused]] T& value) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
#if defined(__CUDACC__)
  if constexpr (sizeof(T) == 4) {
    asm volatile("" : "+r"(value));
  } else {
    asm volatile("" : "+l"(value));
  }
#endif
}

}  // namespace gpueval::GPUEVAL_TARGET
