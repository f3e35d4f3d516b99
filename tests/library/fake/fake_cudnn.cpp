// SPDX-License-Identifier: Apache-2.0
// A cuDNN of plain loops on host memory, which the emulated device's memory is: loaded in the place of the real one, it
// runs our host code around cuDNN where there is no GPU. It takes two algorithms and refuses the others, asks for
// workspace that grows with the batch, and fuses as the real one does (no activation with IMPLICIT_PRECOMP_GEMM only).
#include <cudnn.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "cuda/prim/half.h"

struct cudnnContext {};
struct cudnnTensorStruct {
  cudnnDataType_t type;
  int n, c, h, w, stride_n, stride_c, stride_h, stride_w;
};
struct cudnnFilterStruct {
  cudnnDataType_t type;
  cudnnTensorFormat_t format;
  int k, c, r, s;
};
struct cudnnConvolutionStruct {
  int pad_h, pad_w, stride_h, stride_w, groups = 1;
};
struct cudnnActivationStruct {
  cudnnActivationMode_t mode;
};

namespace {

int forward_calls = 0;
std::size_t version = 91900;

double load(const void* data, cudnnDataType_t type, std::int64_t i) {
  if (type == CUDNN_DATA_FLOAT) return static_cast<const float*>(data)[i];
  if (type == CUDNN_DATA_HALF) return gpueval::emu::to_float(static_cast<const gpueval::emu::Half*>(data)[i]);
  return static_cast<const std::int8_t*>(data)[i];
}

void store(void* data, cudnnDataType_t type, std::int64_t i, double value) {
  if (type == CUDNN_DATA_FLOAT) static_cast<float*>(data)[i] = static_cast<float>(value);
  if (type == CUDNN_DATA_HALF)
    static_cast<gpueval::emu::Half*>(data)[i] = gpueval::emu::to_half(static_cast<float>(value));
}

std::int64_t offset(const cudnnTensorStruct& t, int n, int c, int h, int w) {
  return std::int64_t{n} * t.stride_n + std::int64_t{c} * t.stride_c + std::int64_t{h} * t.stride_h +
         std::int64_t{w} * t.stride_w;
}

struct Operands {
  const cudnnTensorStruct& x;
  const void* src;
  const cudnnFilterStruct& f;
  const void* weights;
  const cudnnConvolutionStruct& c;
  const cudnnTensorStruct& y;
};

double sum_at(const Operands& o, int n, int k, int p, int q) {
  const int channels = o.x.c / o.c.groups, first = k / (o.f.k / o.c.groups) * channels;
  double sum = 0;
  for (int r = 0; r < o.f.r; ++r) {
    for (int s = 0; s < o.f.s; ++s) {
      const int h = p * o.c.stride_h - o.c.pad_h + r, w = q * o.c.stride_w - o.c.pad_w + s;
      if (h < 0 || w < 0 || h >= o.x.h || w >= o.x.w) continue;
      for (int c = 0; c < channels; ++c) {
        const std::int64_t weight = ((std::int64_t{k} * o.f.r + r) * o.f.s + s) * channels + c;  // KRSC
        sum += load(o.src, o.x.type, offset(o.x, n, first + c, h, w)) * load(o.weights, o.f.type, weight);
      }
    }
  }
  return sum;
}

std::size_t workspace_of(const cudnnTensorStruct& x, cudnnConvolutionFwdAlgo_t algorithm) {
  return algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM ? 0 : 64 * static_cast<std::size_t>(x.n);
}

cudnnStatus_t check(const Operands& o, cudnnConvolutionFwdAlgo_t algorithm, const void* workspace, std::size_t bytes) {
  ++forward_calls;
  if (algorithm > CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM) return CUDNN_STATUS_NOT_SUPPORTED;
  if (bytes < workspace_of(o.x, algorithm) || (bytes > 0 && workspace == nullptr)) return CUDNN_STATUS_BAD_PARAM;
  const int p = (o.x.h + 2 * o.c.pad_h - o.f.r) / o.c.stride_h + 1;
  const int q = (o.x.w + 2 * o.c.pad_w - o.f.s) / o.c.stride_w + 1;
  const bool fits = o.f.format == CUDNN_TENSOR_NHWC && o.f.c * o.c.groups == o.x.c && o.y.c == o.f.k && o.y.n == o.x.n;
  return fits && o.y.h == p && o.y.w == q ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

// finish(sum, index of the output, channel) -> value.
template <typename Finish>
void convolve(const Operands& o, void* dst, Finish&& finish) {
  for (int n = 0; n < o.y.n; ++n) {
    for (int p = 0; p < o.y.h; ++p) {
      for (int q = 0; q < o.y.w; ++q) {
        for (int k = 0; k < o.y.c; ++k) {
          const std::int64_t at = offset(o.y, n, k, p, q);
          store(dst, o.y.type, at, finish(sum_at(o, n, k, p, q), at, k));
        }
      }
    }
  }
}

template <typename T>
cudnnStatus_t create(T** made) {
  *made = new T();
  return CUDNN_STATUS_SUCCESS;
}
template <typename T>
cudnnStatus_t destroy(T* value) {
  delete value;
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

// For the tests.
int fake_calls() { return forward_calls; }
void fake_set_version(std::size_t value) { version = value; }

std::size_t cudnnGetVersion() { return version; }
const char* cudnnGetErrorString(cudnnStatus_t) { return "the fake's error"; }
cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  static cudnnContext context;
  *handle = &context;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t) { return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* made) { return create(made); }
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t value) { return destroy(value); }
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* made) { return create(made); }
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t value) { return destroy(value); }
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* made) { return create(made); }
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t value) { return destroy(value); }
cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* made) { return create(made); }
cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t value) { return destroy(value); }

cudnnStatus_t cudnnSetTensor4dDescriptorEx(cudnnTensorDescriptor_t t, cudnnDataType_t type, int n, int c, int h, int w,
                                           int stride_n, int stride_c, int stride_h, int stride_w) {
  *t = {type, n, c, h, w, stride_n, stride_c, stride_h, stride_w};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t t, cudnnTensorFormat_t format, cudnnDataType_t type,
                                         int n, int c, int h, int w) {
  if (format != CUDNN_TENSOR_NHWC) return CUDNN_STATUS_NOT_SUPPORTED;
  return cudnnSetTensor4dDescriptorEx(t, type, n, c, h, w, h * w * c, 1, w * c, c);
}
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t f, cudnnDataType_t type, cudnnTensorFormat_t format,
                                         int k, int c, int r, int s) {
  *f = {type, format, k, c, r, s};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t c, int pad_h, int pad_w, int stride_h,
                                              int stride_w, int dilation_h, int dilation_w, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t) {
  if (dilation_h != 1 || dilation_w != 1 || mode != CUDNN_CROSS_CORRELATION) return CUDNN_STATUS_NOT_SUPPORTED;
  *c = {pad_h, pad_w, stride_h, stride_w};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t, cudnnMathType_t) {
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t c, int groups) {
  c->groups = groups;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t a, cudnnActivationMode_t mode,
                                           cudnnNanPropagation_t, double) {
  a->mode = mode;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t, const cudnnTensorDescriptor_t x,
                                                      const cudnnFilterDescriptor_t, const cudnnConvolutionDescriptor_t,
                                                      const cudnnTensorDescriptor_t,
                                                      cudnnConvolutionFwdAlgo_t algorithm, std::size_t* bytes) {
  if (algorithm == CUDNN_CONVOLUTION_FWD_ALGO_DIRECT) return CUDNN_STATUS_NOT_SUPPORTED;  // the others when they run
  *bytes = workspace_of(*x, algorithm);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t, const void* alpha, const cudnnTensorDescriptor_t x,
                                      const void* src, const cudnnFilterDescriptor_t f, const void* weights,
                                      const cudnnConvolutionDescriptor_t c, cudnnConvolutionFwdAlgo_t algorithm,
                                      void* workspace, std::size_t bytes, const void* beta,
                                      const cudnnTensorDescriptor_t y, void* dst) {
  const Operands o{*x, src, *f, weights, *c, *y};
  const cudnnStatus_t status = check(o, algorithm, workspace, bytes);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  if (*static_cast<const float*>(beta) != 0) return CUDNN_STATUS_NOT_SUPPORTED;
  const double factor = *static_cast<const float*>(alpha);
  convolve(o, dst, [&](double sum, std::int64_t, int) { return factor * sum; });
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnConvolutionBiasActivationForward(
    cudnnHandle_t, const void* alpha, const cudnnTensorDescriptor_t x, const void* src, const cudnnFilterDescriptor_t f,
    const void* weights, const cudnnConvolutionDescriptor_t c, cudnnConvolutionFwdAlgo_t algorithm, void* workspace,
    std::size_t bytes, const void* alpha2, const cudnnTensorDescriptor_t, const void* z,
    const cudnnTensorDescriptor_t bias_shape, const void* bias, const cudnnActivationDescriptor_t activation,
    const cudnnTensorDescriptor_t y, void* dst) {
  const Operands o{*x, src, *f, weights, *c, *y};
  const cudnnStatus_t status = check(o, algorithm, workspace, bytes);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  const bool relu = activation->mode == CUDNN_ACTIVATION_RELU;
  if (!relu && algorithm != CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM) return CUDNN_STATUS_NOT_SUPPORTED;
  if (bias_shape->c != y->c || bias_shape->type != y->type) return CUDNN_STATUS_BAD_PARAM;
  const double factor = *static_cast<const float*>(alpha), residual = *static_cast<const float*>(alpha2);
  convolve(o, dst, [&](double sum, std::int64_t at, int k) {
    const double added = residual == 0 ? 0 : residual * load(z, y->type, at);
    const double value = factor * sum + added + load(bias, bias_shape->type, k);
    return relu ? std::max(value, 0.0) : value;
  });
  return CUDNN_STATUS_SUCCESS;
}

}  // extern "C"
