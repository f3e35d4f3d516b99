// SPDX-License-Identifier: Apache-2.0
#include "cpu/float32/functions.h"

#include "cpu/int8/isa.h"

namespace gpueval::cpu {

const FunctionSet& function_set() {
#if defined(__x86_64__)
  const Isa isa = vector_isa(best_isa_level());
  if (isa == Isa::kAvx512Vnni) return kFunctionsAvx512;
  if (isa == Isa::kAvx2) return kFunctionsAvx2;
#endif
  return kFunctionsPortable;
}

}  // namespace gpueval::cpu
