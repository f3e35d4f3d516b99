// SPDX-License-Identifier: Apache-2.0
// The device operations that are not integer convolutions. Exact, as src/cpu/int8/int8_ops.h has them; float32 ones are
// plain and portable (cuDNN and cuBLAS have the fast ones, cuda/library/). One file an operation family in cuda/ops/.
#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "gpueval/conv_desc.h"
#include "gpueval/graph.h"
#include "gpueval/tensor.h"

namespace gpueval::cuda {

struct ConvProblem;  // cuda/conv/conv_kernel.h
struct ConvArgs;

// A device tensor, or a channel slice of one: NHWC, pitch in elements.
struct DeviceView {
  void* data = nullptr;
  DType dtype = DType::kU8;
  Shape shape;  // n = images
  std::int64_t pitch = 0;
};

// Pointers named `device` live in device memory. Views of equal shape unless stated.
struct Ops {
  // ---- integer (u8, s8), formulas in docs/numerics.md
  // Padded taps ignored; m = 1 and equal types: copy of the maximum; else rint(clamp(fmaf(max, m, 0))).
  void (*max_pool)(const DeviceView& src, const Window& window, float m, const DeviceView& dst, Stream stream);
  // sum over the real pixels times m[count - 1] (device), clamp, rint.
  void (*avg_pool)(const DeviceView& src, const Window& window, const float* m, const DeviceView& dst, Stream stream);
  // dst: one pixel an image, integer or float32 (v, not clamped).
  void (*global_avg_pool)(const DeviceView& src, float m, const DeviceView& dst, Stream stream);
  // v = fmaf(q1, m1, fmaf(q2, m2, 0)), clamp, rint.
  void (*add)(const DeviceView& a, float m1, const DeviceView& b, float m2, float lo, float hi, const DeviceView& dst,
              Stream stream);
  // v = fmaf(q, m, 0), clamp, rint; m = 1 and equal types: exact copy cut by lo, hi.
  void (*requantize)(const DeviceView& src, float m, float lo, float hi, const DeviceView& dst, Stream stream);
  // float32 -> integer: rint(clamp(x / scale)); scale (device): one number, or one per channel.
  void (*quantize)(const DeviceView& src, const float* scale, bool per_channel, const DeviceView& dst, Stream stream);
  // integer -> float32: scale * q.
  void (*dequantize)(const DeviceView& src, const float* scale, bool per_channel, const DeviceView& dst, Stream stream);

  // ---- `reference` scheme
  // Per image: s = max|x| / 127 (1 where the maximum is 0), dst (s8) = rint(clamp(x / s)), and
  // image_scale[i] (device) = s * weight_scale. scratch (device): n ints.
  void (*quantize_dynamic)(const DeviceView& src, float weight_scale, const DeviceView& dst, float* image_scale,
                           int* scratch, Stream stream);

  // ---- any element type
  // Copies src into dst's pixels from row top, column left.
  void (*copy)(const DeviceView& src, const DeviceView& dst, int top, int left, Stream stream);
  void (*zero)(const DeviceView& dst, Stream stream);

  // ---- float32 or float16 tensors (both views of one type; sums in float32)
  void (*add_float)(const DeviceView& a, const DeviceView& b, Activation act, const DeviceView& dst, Stream stream);
  void (*relu_float)(const DeviceView& src, Activation act, const DeviceView& dst, Stream stream);
  // (src - mean) * gain + beta, then act; gain, mean, beta: device, float32, one per channel.
  void (*batch_norm)(const DeviceView& src, const float* gain, const float* mean, const float* beta, Activation act,
                     const DeviceView& dst, Stream stream);
  void (*max_pool_float)(const DeviceView& src, const Window& window, const DeviceView& dst, Stream stream);
  void (*avg_pool_float)(const DeviceView& src, const Window& window, const DeviceView& dst, Stream stream);
  void (*global_avg_pool_float)(const DeviceView& src, const DeviceView& dst, Stream stream);
  // weights (device): [R][S][C][K] of the tensors' type, depthwise [R][S][C]; bias: float32, K, or null; residual: null
  // data or dst's shape, added before act. Dense layers are 1x1.
  void (*conv_float)(const ConvDesc& desc, const DeviceView& src, const void* weights, const float* bias,
                     const DeviceView& residual, Activation act, const DeviceView& dst, Stream stream);
  // Element type of dst from src's: float32 <-> float16.
  void (*cast)(const DeviceView& src, const DeviceView& dst, Stream stream);

  // ---- the end of a convolution whose sums a library made
  // act(src + bias + residual); bias: device, float32, or null; residual.data may be null; dst may be src.
  void (*finish_float)(const DeviceView& src, const float* bias, const DeviceView& residual, Activation act,
                       const DeviceView& dst, Stream stream);
  // The integer epilogue on the dense sums (device, n * p * q x k) of args.n images, s32 or, as rounded integers, f32.
  void (*finish_integer)(const ConvProblem& problem, const ConvArgs& args, const void* sums, DType sum_type,
                         Stream stream);

  // ---- images and results
  // u8 RGB pixels (n x h x w x 3, pitch 3) -> network input: bilinear resize bit-exact with OpenCV's u8 INTER_LINEAR,
  // then each byte through table (device, float32 [dst channel][256]; src/io/data/preprocess.cpp makes the same one).
  // bgr: dst's channels are B, G, R. dst: float32, or u8/s8 = rint(clamp(x / scale)).
  void (*preprocess)(const DeviceView& rgb, const float* table, bool bgr, float scale, const DeviceView& dst,
                     Stream stream);
  // Per image the k (<= 16) largest of its logits, ties by lower class: classes (device, n x k), probabilities (device,
  // n x k) after softmax.
  void (*top_k)(const float* logits, int n, int class_count, int k, int* classes, float* probabilities, Stream stream);
};

}  // namespace gpueval::cuda
