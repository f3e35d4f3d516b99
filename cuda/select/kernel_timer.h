// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "cuda/conv/conv_kernel.h"
#include "cuda/runtime/handles.h"

namespace gpueval::cuda {

// One problem with random data on the device, to time kernels on. The data lies in the cache as far as it fits, as it
// does between the layers of a network.
class KernelTimer {
 public:
  KernelTimer(Runtime& runtime, const ConvProblem& problem, Stream stream);
  // Median of several samples, each of as many launches as the clock's resolution asks for.
  double microseconds(const ConvKernel& row);

 private:
  double sample(const ConvKernel& row, const ConvArgs& args, int launches);

  Runtime& runtime_;
  ConvProblem problem_;
  Stream stream_;
  DeviceBuffer src_, residual_, dst_, m_, b_;
  EventHandle begin_, end_;
};

}  // namespace gpueval::cuda
