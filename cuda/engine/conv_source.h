// SPDX-License-Identifier: Apache-2.0
// The source of an integer convolution in the form that the kernels ask for (conv_kernel.h): 16-byte aligned, pitch a
// multiple of 16, or 4. Most tensors are; slices of a concat at an odd channel and flattened maps may not be, and are
// copied; so are those whose padding holds a zero point, with it (but for depthwise kernels, which know it).
#pragma once

#include "cuda/engine/step.h"
#include "gpueval/conv_desc.h"

namespace gpueval::cuda {

class ConvSource {
 public:
  // Reserves scratch memory where a copy is needed.
  explicit ConvSource(const StepContext& context);
  int pitch() const { return pitch_; }  // of one pixel of the problem
  // The problem on what prepare() returns.
  ConvDesc described(ConvDesc desc) const;
  bool copies() const { return copy_; }
  // The data to convolve; a copy is put on the pass's stream first.
  const void* prepare(const Pass& pass) const;

 private:
  Shape padded(Shape shape) const;
  void copy_images(const DeviceView& src, const Pass& pass) const;

  const Ops& ops_;
  int node_;  // the source
  bool flatten_;
  bool copy_ = false;
  int channels_, pitch_;
  Padding padding_;  // that a copy brings
};

}  // namespace gpueval::cuda
