// SPDX-License-Identifier: Apache-2.0
// Our float32 convolution (AVX-512), for shapes on which oneDNN is slower. NHWC:
//   dst = min(max(bias + sum(src * weights) + residual, lo), hi), the sum in one order whatever batch and threads are.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gpueval/conv_desc.h"
#include "gpueval/engine.h"
#include "gpueval/graph.h"
#include "gpueval/tensor.h"

namespace gpueval::cpu {

struct FloatConvArgs {
  int n = 1;  // images
  const std::byte* src = nullptr;
  std::byte* dst = nullptr;
  const std::byte* residual = nullptr;  // of dst's shape, or nullptr; must not overlap dst
};

class FloatConv {
 public:
  // weights: Keras's (kh, kw, c, k); bias: k values, or none. desc.n is the largest batch. Tensors are dense.
  FloatConv(const ConvDesc& desc, std::span<const float> weights, std::span<const float> bias, Activation act);
  void run(const FloatConvArgs& args) const;  // several threads may, at once

 private:
  struct Part;
  const std::byte* padded_source(const std::byte* src, int n) const;
  void run_part(const FloatConvArgs& args, const ConvDesc& desc, const Part& part) const;

  ConvDesc desc_;
  float lo_, hi_;
  int blocks_;
  std::int64_t block_floats_;
  AlignedBuffer weights_;
  std::vector<float> bias_;
};

// The CPU runs our kernel, and GPUEVAL_CPU_ISA allows it.
bool own_float_conv_usable();

// Rows of `list kernels` for float32, oneDNN's among them. A forced one runs where it can; elsewhere, and in int8
// layers, the choice is as if none was forced.
std::vector<KernelInfo> float_kernels();

}  // namespace gpueval::cpu
