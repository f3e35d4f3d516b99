// SPDX-License-Identifier: Apache-2.0
// The functions of cuBLASLt that we call, loaded at run time, and owners of its descriptors.
#pragma once

#include <cublasLt.h>

#include <memory>
#include <string>
#include <type_traits>

#include "gpueval/error.h"

namespace gpueval::cuda {

#define GPUEVAL_CUBLASLT_FUNCTIONS(F)     \
  F(cublasLtGetVersion)                   \
  F(cublasLtGetStatusString)              \
  F(cublasLtCreate)                       \
  F(cublasLtMatmulDescCreate)             \
  F(cublasLtMatmulDescDestroy)            \
  F(cublasLtMatmulDescSetAttribute)       \
  F(cublasLtMatrixLayoutCreate)           \
  F(cublasLtMatrixLayoutDestroy)          \
  F(cublasLtMatmulPreferenceCreate)       \
  F(cublasLtMatmulPreferenceDestroy)      \
  F(cublasLtMatmulPreferenceSetAttribute) \
  F(cublasLtMatmulAlgoGetHeuristic)       \
  F(cublasLtMatmulAlgoConfigGetAttribute) \
  F(cublasLtMatmul)

struct CublasLtApi {
#define GPUEVAL_DECLARE(name) decltype(&::name) name = nullptr;
  GPUEVAL_CUBLASLT_FUNCTIONS(GPUEVAL_DECLARE)
#undef GPUEVAL_DECLARE
};

// Null where cuBLASLt is missing, and *why says so in one sentence.
const CublasLtApi* cublaslt_api(std::string* why);
std::string cublaslt_version();  // "13.1.0", empty where it is missing
cublasLtHandle_t cublaslt_handle(const CublasLtApi& api);

#define GPUEVAL_CUBLASLT_CHECK(api, call)                                                                 \
  do {                                                                                                    \
    const cublasStatus_t gpueval_status = (api).call;                                                     \
    if (gpueval_status != CUBLAS_STATUS_SUCCESS) {                                                        \
      throw ::gpueval::Error(::fmt::format("cuBLASLt: {} ({}) in '{}' at {}:{}",                          \
                                           (api).cublasLtGetStatusString(gpueval_status),                 \
                                           static_cast<int>(gpueval_status), #call, __FILE__, __LINE__)); \
    }                                                                                                     \
  } while (false)

template <typename T>
using CublasLtOwner = std::unique_ptr<std::remove_pointer_t<T>, cublasStatus_t (*)(T)>;

}  // namespace gpueval::cuda
