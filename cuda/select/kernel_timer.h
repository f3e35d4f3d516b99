// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "cuda/conv/conv_kernel.h"
#include "cuda/runtime/handles.h"

namespace gpueval::cuda {

// One problem with random data on the device, to time kernels on. The data lies in the cache as far as it fits, as it
// does between the layers of a network.
class KernelTimer {
 public:
  KernelTimer(Runtime& runtime, const ConvProblem& problem, Stream stream);
  // As least_seconds() of graph_time.h has it, with what it says of give_up.
  double microseconds(const ConvKernel& row, double give_up = std::numeric_limits<double>::infinity());
  // Of the problem's pool by max_pool (ops.inc), on what the convolution would give it.
  double pool_microseconds();

 private:
  const void* packed(const ConvKernel& row);  // random weights; once for all rows that pack them in the same way

  Runtime& runtime_;
  ConvProblem problem_;
  Stream stream_;
  DeviceBuffer src_, residual_, dst_, m_, b_;
  DeviceBuffer unpooled_;  // the convolution's output; none where that is dst_
  std::vector<std::int8_t> weights_;
  std::map<decltype(ConvKernel::pack), DeviceBuffer> packed_;
};

}  // namespace gpueval::cuda
