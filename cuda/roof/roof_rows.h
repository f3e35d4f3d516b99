// SPDX-License-Identifier: Apache-2.0
// The rows of cuda/roof/table.cu, defined in roof_loops.cu, roof_wgmma.cu and roof_copy.cu.
#pragma once

#include "cuda/prim/target.h"
#include "cuda/roof/roof.h"

namespace gpueval::GPUEVAL_TARGET {

extern const cuda::RoofKernel kRoofDp4a, kRoofMma16832, kRoofMma8816, kRoofWgmma, kRoofFmaF32, kRoofCopy;

}  // namespace gpueval::GPUEVAL_TARGET
