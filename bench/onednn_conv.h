// SPDX-License-Identifier: Apache-2.0
// oneDNN's float32 convolution (bias and ReLU fused, weights in its own layout): the baseline next to the int8 kernels.
#pragma once

#include <memory>

#include "gpueval/conv_desc.h"

namespace gpueval::bench {

class OneDnnConv {
 public:
  explicit OneDnnConv(const ConvDesc& desc);
  ~OneDnnConv();
  void run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gpueval::bench
