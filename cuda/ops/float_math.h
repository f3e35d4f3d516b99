// SPDX-License-Identifier: Apache-2.0
// The CPU's functions of one float32 number, on the device.
#pragma once

#include "cuda/prim/arithmetic.h"
#include "gpueval/graph.h"

namespace gpueval::GPUEVAL_TARGET {

#define GPUEVAL_FLOAT_FUNCTION GPUEVAL_DEVICE
#include "core/float_functions.inl.h"
#undef GPUEVAL_FLOAT_FUNCTION

}  // namespace gpueval::GPUEVAL_TARGET
