// SPDX-License-Identifier: Apache-2.0
// The functions of cuDNN that we call, loaded at run time, and owners of its descriptors.
#pragma once

#include <cudnn.h>

#include <memory>
#include <string>
#include <type_traits>

#include "gpueval/error.h"

namespace gpueval::cuda {

#define GPUEVAL_CUDNN_FUNCTIONS(F)           \
  F(cudnnGetVersion)                         \
  F(cudnnGetErrorString)                     \
  F(cudnnCreate)                             \
  F(cudnnSetStream)                          \
  F(cudnnCreateTensorDescriptor)             \
  F(cudnnDestroyTensorDescriptor)            \
  F(cudnnSetTensor4dDescriptor)              \
  F(cudnnSetTensor4dDescriptorEx)            \
  F(cudnnCreateFilterDescriptor)             \
  F(cudnnDestroyFilterDescriptor)            \
  F(cudnnSetFilter4dDescriptor)              \
  F(cudnnCreateConvolutionDescriptor)        \
  F(cudnnDestroyConvolutionDescriptor)       \
  F(cudnnSetConvolution2dDescriptor)         \
  F(cudnnSetConvolutionMathType)             \
  F(cudnnSetConvolutionGroupCount)           \
  F(cudnnCreateActivationDescriptor)         \
  F(cudnnDestroyActivationDescriptor)        \
  F(cudnnSetActivationDescriptor)            \
  F(cudnnGetConvolutionForwardWorkspaceSize) \
  F(cudnnConvolutionForward)                 \
  F(cudnnConvolutionBiasActivationForward)

struct CudnnApi {
#define GPUEVAL_DECLARE(name) decltype(&::name) name = nullptr;
  GPUEVAL_CUDNN_FUNCTIONS(GPUEVAL_DECLARE)
#undef GPUEVAL_DECLARE
};

// Null where cuDNN is missing, and *why says so in one sentence.
const CudnnApi* cudnn_api(std::string* why);
std::string cudnn_version();  // "9.19.0", empty where it is missing
// The handle of this thread's GPU. Set its stream before every call.
cudnnHandle_t cudnn_handle(const CudnnApi& api);

template <typename T>
using CudnnOwner = std::unique_ptr<std::remove_pointer_t<T>, cudnnStatus_t (*)(T)>;

#define GPUEVAL_CUDNN_CHECK(api, call)                                                                    \
  do {                                                                                                    \
    const cudnnStatus_t gpueval_status = (api).call;                                                      \
    if (gpueval_status != CUDNN_STATUS_SUCCESS) {                                                         \
      throw ::gpueval::Error(::fmt::format("cuDNN: {} ({}) in '{}' at {}:{}",                             \
                                           (api).cudnnGetErrorString(gpueval_status),                     \
                                           static_cast<int>(gpueval_status), #call, __FILE__, __LINE__)); \
    }                                                                                                     \
  } while (false)

template <typename T>
CudnnOwner<T> make_cudnn(const CudnnApi& api, cudnnStatus_t (*create)(T*), cudnnStatus_t (*destroy)(T)) {
  T value = nullptr;
  const cudnnStatus_t status = create(&value);
  if (status != CUDNN_STATUS_SUCCESS) fail("cuDNN: no descriptor: {}", api.cudnnGetErrorString(status));
  return {value, destroy};
}
inline CudnnOwner<cudnnTensorDescriptor_t> make_tensor(const CudnnApi& api) {
  return make_cudnn(api, api.cudnnCreateTensorDescriptor, api.cudnnDestroyTensorDescriptor);
}
inline CudnnOwner<cudnnFilterDescriptor_t> make_filter(const CudnnApi& api) {
  return make_cudnn(api, api.cudnnCreateFilterDescriptor, api.cudnnDestroyFilterDescriptor);
}
inline CudnnOwner<cudnnConvolutionDescriptor_t> make_convolution(const CudnnApi& api) {
  return make_cudnn(api, api.cudnnCreateConvolutionDescriptor, api.cudnnDestroyConvolutionDescriptor);
}
inline CudnnOwner<cudnnActivationDescriptor_t> make_activation(const CudnnApi& api) {
  return make_cudnn(api, api.cudnnCreateActivationDescriptor, api.cudnnDestroyActivationDescriptor);
}

}  // namespace gpueval::cuda
