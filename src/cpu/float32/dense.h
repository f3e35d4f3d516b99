// SPDX-License-Identifier: Apache-2.0
// Large float32 dense layers (AVX-512) from the weights as Keras stores them, (inputs, outputs): these come from memory
// once a batch, whatever their order, and a packed copy of them would double what the network takes (VGG16: 478 MB of
// 553). The bits are FloatConv's: every sum in one order, whatever batch and threads are.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "cpu/float32/float_conv.h"

namespace gpueval::cpu {

class PlainDense {
 public:
  using Weights = std::shared_ptr<const std::vector<float>>;
  // As FloatConv, but that the weights are shared; desc must be one that plain_dense_fits().
  PlainDense(const ConvDesc& desc, Weights weights, std::span<const float> bias, Activation act);
  void run(const FloatConvArgs& args) const;  // several threads may, at once; args.residual must be nullptr

 private:
  const float* grouped_source(const float* src, int n) const;

  ConvDesc desc_;
  float lo_, hi_;
  Weights weights_;
  std::vector<float> bias_;
};

}  // namespace gpueval::cpu
