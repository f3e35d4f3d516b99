// SPDX-License-Identifier: Apache-2.0
#include "cuda/prim/target.h"
#include "cuda/runtime/tables.h"

namespace gpueval::GPUEVAL_TARGET {

const cuda::Ops& ops() {
  static const cuda::Ops table = {};
  return table;
}

}  // namespace gpueval::GPUEVAL_TARGET
