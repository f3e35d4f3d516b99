// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "cuda/prim/target.h"
#include "cuda/roof/roof.h"
#include "cuda/roof/roof_rows.h"

namespace gpueval::GPUEVAL_TARGET {

std::span<const cuda::RoofKernel> roof_kernels() {
  static const std::vector<cuda::RoofKernel> rows = {kRoofDp4a,  kRoofMma16832, kRoofMma8816,
                                                     kRoofWgmma, kRoofFmaF32,   kRoofCopy};
  return rows;
}

}  // namespace gpueval::GPUEVAL_TARGET
