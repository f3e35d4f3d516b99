// SPDX-License-Identifier: Apache-2.0
#include "cuda/ops/device_ops.h"
#include "cuda/runtime/tables.h"

namespace gpueval::GPUEVAL_TARGET {

const cuda::Ops& ops() {
  static const cuda::Ops table = {
#define GPUEVAL_DEVICE_OP(NAME, ...) .NAME = NAME,
#include "cuda/ops/ops.inc"
  };
  return table;
}

}  // namespace gpueval::GPUEVAL_TARGET
