// SPDX-License-Identifier: Apache-2.0
#include "cuda/library/cudnn_problem.h"

namespace gpueval::cuda {
namespace {

cudaStream_t native(Stream stream) { return static_cast<cudaStream_t>(stream.handle); }

}  // namespace

const char* algorithm_name(cudnnConvolutionFwdAlgo_t algorithm) {
  switch (algorithm) {
    case CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM:
      return "IMPLICIT_GEMM";
    case CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM:
      return "IMPLICIT_PRECOMP_GEMM";
    case CUDNN_CONVOLUTION_FWD_ALGO_GEMM:
      return "GEMM";
    case CUDNN_CONVOLUTION_FWD_ALGO_DIRECT:
      return "DIRECT";
    case CUDNN_CONVOLUTION_FWD_ALGO_FFT:
      return "FFT";
    case CUDNN_CONVOLUTION_FWD_ALGO_FFT_TILING:
      return "FFT_TILING";
    case CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD:
      return "WINOGRAD";
    case CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED:
      return "WINOGRAD_NONFUSED";
    default:
      return "unknown";
  }
}

CudnnProblem::CudnnProblem(const CudnnApi& api, const ConvDesc& desc, const CudnnTypes& types, int src_pitch)
    : api_(api),
      desc_(desc),
      types_(types),
      src_pitch_(src_pitch),
      filter_(make_filter(api)),
      convolution_(make_convolution(api)),
      bias_(make_tensor(api)),
      relu_(make_activation(api)),
      identity_(make_activation(api)) {
  const Window& w = desc.window;
  GPUEVAL_CHECK(w.pad.top == w.pad.bottom && w.pad.left == w.pad.right, "{}", to_string(desc));
  GPUEVAL_CUDNN_CHECK(api_, cudnnSetFilter4dDescriptor(filter_.get(), types.src, CUDNN_TENSOR_NHWC, desc.k,
                                                       desc.depthwise ? 1 : desc.c, w.kernel_h, w.kernel_w));
  GPUEVAL_CUDNN_CHECK(api_, cudnnSetConvolution2dDescriptor(convolution_.get(), w.pad.top, w.pad.left, w.stride_h,
                                                            w.stride_w, 1, 1, CUDNN_CROSS_CORRELATION, types.compute));
  GPUEVAL_CUDNN_CHECK(api_, cudnnSetConvolutionMathType(convolution_.get(), types.math));
  GPUEVAL_CUDNN_CHECK(api_, cudnnSetConvolutionGroupCount(convolution_.get(), desc.depthwise ? desc.c : 1));
  GPUEVAL_CUDNN_CHECK(api_, cudnnSetTensor4dDescriptor(bias_.get(), CUDNN_TENSOR_NHWC, types.dst, 1, desc.k, 1, 1));
  GPUEVAL_CUDNN_CHECK(api_,
                      cudnnSetActivationDescriptor(relu_.get(), CUDNN_ACTIVATION_RELU, CUDNN_NOT_PROPAGATE_NAN, 0.0));
  GPUEVAL_CUDNN_CHECK(
      api_, cudnnSetActivationDescriptor(identity_.get(), CUDNN_ACTIVATION_IDENTITY, CUDNN_NOT_PROPAGATE_NAN, 0.0));
}

const CudnnShapes& CudnnProblem::shapes(int n) {
  const auto known = shapes_.find(n);
  if (known != shapes_.end()) return known->second;
  CudnnShapes made{make_tensor(api_), make_tensor(api_)};
  const ConvDesc& d = desc_;
  GPUEVAL_CUDNN_CHECK(api_, cudnnSetTensor4dDescriptorEx(made.src.get(), types_.src, n, d.c, d.h, d.w,
                                                         d.h * d.w * src_pitch_, 1, d.w * src_pitch_, src_pitch_));
  GPUEVAL_CUDNN_CHECK(api_,
                      cudnnSetTensor4dDescriptor(made.dst.get(), CUDNN_TENSOR_NHWC, types_.dst, n, d.k, d.p(), d.q()));
  return shapes_.emplace(n, std::move(made)).first->second;
}

bool CudnnProblem::workspace_bytes(int n, cudnnConvolutionFwdAlgo_t algorithm, std::size_t* bytes) {
  const CudnnShapes& s = shapes(n);
  return api_.cudnnGetConvolutionForwardWorkspaceSize(cudnn_handle(api_), s.src.get(), filter_.get(),
                                                      convolution_.get(), s.dst.get(), algorithm,
                                                      bytes) == CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t CudnnProblem::convolve(int n, cudnnConvolutionFwdAlgo_t algorithm, const void* src, const void* weights,
                                     void* dst, const DeviceBuffer& workspace, Stream stream) {
  const CudnnShapes& s = shapes(n);
  const float one = 1, zero = 0;
  const cudnnHandle_t handle = cudnn_handle(api_);
  GPUEVAL_CUDNN_CHECK(api_, cudnnSetStream(handle, native(stream)));
  return api_.cudnnConvolutionForward(handle, &one, s.src.get(), src, filter_.get(), weights, convolution_.get(),
                                      algorithm, workspace.data(), workspace.size(), &zero, s.dst.get(), dst);
}

cudnnStatus_t CudnnProblem::convolve_fused(int n, cudnnConvolutionFwdAlgo_t algorithm, const void* src,
                                           const void* weights, const void* residual, const void* bias, bool relu,
                                           void* dst, const DeviceBuffer& workspace, Stream stream) {
  const CudnnShapes& s = shapes(n);
  const float one = 1, residual_factor = residual != nullptr ? 1.0f : 0.0f;
  const cudnnHandle_t handle = cudnn_handle(api_);
  GPUEVAL_CUDNN_CHECK(api_, cudnnSetStream(handle, native(stream)));
  return api_.cudnnConvolutionBiasActivationForward(
      handle, &one, s.src.get(), src, filter_.get(), weights, convolution_.get(), algorithm, workspace.data(),
      workspace.size(), &residual_factor, s.dst.get(), residual != nullptr ? residual : dst, bias_.get(), bias,
      (relu ? relu_ : identity_).get(), s.dst.get(), dst);
}

}  // namespace gpueval::cuda
