// SPDX-License-Identifier: Apache-2.0
// The float entries of ops.h, by their files: float_elementwise.cu, float_pool.cu, float_conv.cu, float_finish.cu.
#pragma once

#include "cuda/ops/ops.h"
#include "cuda/prim/target.h"

namespace gpueval::GPUEVAL_TARGET {

void add_float(const cuda::DeviceView& a, const cuda::DeviceView& b, Activation act, const cuda::DeviceView& dst,
               cuda::Stream stream);
void relu_float(const cuda::DeviceView& src, Activation act, const cuda::DeviceView& dst, cuda::Stream stream);
void batch_norm(const cuda::DeviceView& src, const float* gain, const float* mean, const float* beta, Activation act,
                const cuda::DeviceView& dst, cuda::Stream stream);
void cast(const cuda::DeviceView& src, const cuda::DeviceView& dst, cuda::Stream stream);

void max_pool_float(const cuda::DeviceView& src, const Window& window, const cuda::DeviceView& dst,
                    cuda::Stream stream);
void avg_pool_float(const cuda::DeviceView& src, const Window& window, const cuda::DeviceView& dst,
                    cuda::Stream stream);
void global_avg_pool_float(const cuda::DeviceView& src, const cuda::DeviceView& dst, cuda::Stream stream);

void conv_float(const ConvDesc& desc, const cuda::DeviceView& src, const void* weights, const float* bias,
                const cuda::DeviceView& residual, Activation act, const cuda::DeviceView& dst, cuda::Stream stream);

void finish_float(const cuda::DeviceView& src, const float* bias, const cuda::DeviceView& residual, Activation act,
                  const cuda::DeviceView& dst, cuda::Stream stream);
void finish_integer(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, const void* sums, DType sum_type,
                    cuda::Stream stream);

}  // namespace gpueval::GPUEVAL_TARGET
