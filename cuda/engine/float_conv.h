// SPDX-License-Identifier: Apache-2.0
// A prepared float convolution, depthwise or dense layer on the device (dense: 1x1 on one pixel of h * w * c channels):
//   dst = act(conv(src, weights) + bias [+ residual])
// Two makers: our own kernel, which runs everywhere, and cuDNN or cuBLAS where they are there. The engine asks the
// library first.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "cuda/ops/ops.h"
#include "cuda/runtime/runtime.h"
#include "gpueval/conv_desc.h"
#include "gpueval/engine.h"
#include "gpueval/graph.h"

namespace gpueval::cuda {

class TuningCache;

// Fixed at load time. The spans need not outlive the maker.
struct FloatConvParams {
  ConvDesc desc;             // desc.n: the batch, the most images run() will be given
  DType type = DType::kF32;  // of src, residual and dst: kF32 or kF16 (sums in float32)
  FloatMath math = FloatMath::kStrict;
  Activation act = Activation::kNone;
  bool residual = false;
  std::span<const float> weights;  // [R][S][C][K], depthwise [R][S][C]
  std::span<const float> bias;     // K, or empty
  TuningCache* times = nullptr;    // of library plans; null: all are timed
  bool own = true;                 // our own kernel may be better than a library's; false: it failed the self-test
  // "conv_f32", "depthwise_f16": our own kernel.
  std::string own_name() const {
    return std::string(desc.depthwise ? "depthwise" : "conv") + (type == DType::kF16 ? "_f16" : "_f32");
  }
};

class FloatConv {
 public:
  virtual ~FloatConv() = default;
  // "conv_f32", "cudnn:IMPLICIT_PRECOMP_GEMM+fused", ...
  virtual std::string name() const = 0;
  // Enqueues one call: views of src.shape.n <= desc.n images, of desc's shape, dense (pitch = channels); residual.data
  // is null without one. Allocates nothing and waits for nothing, so that a graph capture can record it. Calls are
  // never concurrent with each other.
  virtual void run(const DeviceView& src, const DeviceView& residual, const DeviceView& dst, Stream stream) = 0;
};

// By Ops::conv_float. `stream` is used to upload weights and waited for.
std::unique_ptr<FloatConv> make_own_float_conv(Runtime& runtime, const FloatConvParams& params, Stream stream);

// The fastest that cuDNN or cuBLAS have, timed on `stream` with the real shape. Null where the runtime is not the GPU,
// a library is missing or none of its kernels does the problem; *why says so in one sentence.
std::unique_ptr<FloatConv> make_library_float_conv(Runtime& runtime, const FloatConvParams& params, Stream stream,
                                                   std::string* why);

}  // namespace gpueval::cuda
