// SPDX-License-Identifier: Apache-2.0
// One convolution in cuDNN's terms: descriptors, and the call itself. NHWC; every image count has descriptors of its
// own, made at its first use (host work only, so that a graph capture may be under way).
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "cuda/library/cudnn_api.h"
#include "cuda/runtime/runtime.h"
#include "gpueval/conv_desc.h"

namespace gpueval::cuda {

inline constexpr std::size_t kWorkspaceLimit = std::size_t{64} << 20;  // of one layer

struct CudnnTypes {
  cudnnDataType_t src, dst, compute;
  cudnnMathType_t math;
};

struct CudnnShapes {
  CudnnOwner<cudnnTensorDescriptor_t> src, dst;
};

class CudnnProblem {
 public:
  // desc: with symmetric padding.
  CudnnProblem(const CudnnApi& api, const ConvDesc& desc, const CudnnTypes& types, int src_pitch);

  const CudnnShapes& shapes(int n);
  // Bytes of workspace that the algorithm needs for n images; false: it does not take the problem.
  bool workspace_bytes(int n, cudnnConvolutionFwdAlgo_t algorithm, std::size_t* bytes);
  // dst = conv(src, weights).
  cudnnStatus_t convolve(int n, cudnnConvolutionFwdAlgo_t algorithm, const void* src, const void* weights, void* dst,
                         const DeviceBuffer& workspace, Stream stream);
  // dst = relu(conv(src, weights) + residual + bias), without ReLU where relu is false; residual may be null.
  cudnnStatus_t convolve_fused(int n, cudnnConvolutionFwdAlgo_t algorithm, const void* src, const void* weights,
                               const void* residual, const void* bias, bool relu, void* dst,
                               const DeviceBuffer& workspace, Stream stream);
  const CudnnApi& api() const { return api_; }
  const ConvDesc& desc() const { return desc_; }

 private:
  const CudnnApi& api_;
  ConvDesc desc_;
  CudnnTypes types_;
  int src_pitch_;
  CudnnOwner<cudnnFilterDescriptor_t> filter_;
  CudnnOwner<cudnnConvolutionDescriptor_t> convolution_;
  CudnnOwner<cudnnTensorDescriptor_t> bias_;
  CudnnOwner<cudnnActivationDescriptor_t> relu_, identity_;
  std::map<int, CudnnShapes> shapes_;
};

const char* algorithm_name(cudnnConvolutionFwdAlgo_t algorithm);

}  // namespace gpueval::cuda
