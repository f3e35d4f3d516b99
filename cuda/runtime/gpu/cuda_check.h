// SPDX-License-Identifier: Apache-2.0
// GPUEVAL_CUDA_CHECK(call): throws Error with the call, CUDA's own words and file:line. For code that nvcc or a host
// compiler with the toolkit's headers builds; never in include/.
#pragma once

#include <cuda_runtime_api.h>

#include "gpueval/error.h"

#define GPUEVAL_CUDA_CHECK(call)                                                                                \
  do {                                                                                                          \
    const cudaError_t gpueval_error = (call);                                                                   \
    if (gpueval_error != cudaSuccess) {                                                                         \
      throw ::gpueval::Error(::fmt::format("CUDA: {} ({}) in '{}' at {}:{}", cudaGetErrorString(gpueval_error), \
                                           cudaGetErrorName(gpueval_error), #call, __FILE__, __LINE__));        \
    }                                                                                                           \
  } while (false)
