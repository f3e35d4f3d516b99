// SPDX-License-Identifier: Apache-2.0
// The host's arithmetic of a detector's outputs, on the device.
#pragma once

#include "cuda/ops/float_math.h"
#include "cuda/prim/bits.h"

namespace gpueval::GPUEVAL_TARGET {

#define GPUEVAL_FLOAT_FUNCTION GPUEVAL_DEVICE
#include "core/detector_functions.inl.h"
#undef GPUEVAL_FLOAT_FUNCTION

}  // namespace gpueval::GPUEVAL_TARGET
