// SPDX-License-Identifier: Apache-2.0
// core/float_functions.inl.h over arrays, compiled once per instruction set. Strict float32, no flush to zero.
#pragma once

#include <cstdint>

#include "gpueval/graph.h"

namespace gpueval::cpu {

struct FunctionSet {
  // By FunctionKind: dst[i] = function(src[i]); src may be dst.
  void (*apply[16])(const Function& function, const float* src, float* dst, std::int64_t count);
  // dst[i] = exp(src[i] - most); returns their sum.
  double (*exp_sum)(const float* src, float most, float* dst, std::int64_t count);
};
const FunctionSet& function_set();  // of the best instruction set that this CPU has and GPUEVAL_CPU_ISA allows

extern const FunctionSet kFunctionsPortable;
#if defined(__x86_64__)
extern const FunctionSet kFunctionsAvx2;
extern const FunctionSet kFunctionsAvx512;
#endif

}  // namespace gpueval::cpu
