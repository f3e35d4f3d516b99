// SPDX-License-Identifier: Apache-2.0
// The integer, copying and image entries of Ops (ops.h has what they do), one .cu file a family.
#pragma once

#include "cuda/ops/ops.h"
#include "cuda/prim/target.h"

namespace gpueval::GPUEVAL_TARGET {

using cuda::DeviceView;
using cuda::Stream;

// pool.cu
void max_pool(const DeviceView& src, const Window& window, float m, const DeviceView& dst, Stream stream);
void avg_pool(const DeviceView& src, const Window& window, const float* m, const DeviceView& dst, Stream stream);
// global_pool.cu
void global_avg_pool(const DeviceView& src, float m, const DeviceView& dst, Stream stream);
// eltwise.cu
void add(const DeviceView& a, float m1, const DeviceView& b, float m2, float lo, float hi, const DeviceView& dst,
         Stream stream);
void requantize(const DeviceView& src, float m, float lo, float hi, const DeviceView& dst, Stream stream);
// quantize.cu
void quantize(const DeviceView& src, const float* scale, bool per_channel, const DeviceView& dst, Stream stream);
void dequantize(const DeviceView& src, const float* scale, bool per_channel, const DeviceView& dst, Stream stream);
void quantize_dynamic(const DeviceView& src, float weight_scale, const DeviceView& dst, float* image_scale,
                      int* scratch, Stream stream);
// copy.cu
void copy(const DeviceView& src, const DeviceView& dst, int top, int left, Stream stream);
void zero(const DeviceView& dst, Stream stream);
// image.cu
void preprocess(const DeviceView& rgb, const float* table, bool bgr, float scale, const DeviceView& dst, Stream stream);
// top_k.cu
void top_k(const float* logits, int n, int class_count, int k, int* classes, float* probabilities, Stream stream);

}  // namespace gpueval::GPUEVAL_TARGET
