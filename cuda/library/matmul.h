// SPDX-License-Identifier: Apache-2.0
// dst[rows][k] = src[rows][c] * weights, by cuBLASLt: dense layers and 1x1 convolutions. cuBLASLt counts columns first,
// so a row-major matrix is its transpose there: D (k x rows) = op(weights) (k x c) * src (c x rows).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "cuda/library/cublaslt_api.h"
#include "cuda/runtime/runtime.h"
#include "cuda/select/plan_times.h"

namespace gpueval::cuda {

struct MatmulSpec {
  std::int64_t c = 0, k = 0, src_pitch = 0;  // dst and residual are dense
  cudaDataType_t src = CUDA_R_32F, dst = CUDA_R_32F;
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  bool weights_by_output = false;  // weights [K][C]; else [C][K]
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;  // device, k of dst's type, if the epilogue has one
};

class Matmul {
 public:
  Matmul(const CublasLtApi& api, Runtime& runtime, const MatmulSpec& spec);
  struct Operands {
    const void *src, *weights, *residual;  // residual: null, or added
    void* dst;
  };
  // Keeps the fastest of what cuBLASLt offers for that many rows; false where it offers nothing. operands() is asked
  // for where a plan's time is not known.
  bool choose(std::int64_t rows, PlanTimes& times, const std::function<Operands()>& operands, Stream stream);
  // Another count of rows than chosen for takes cuBLASLt's own first choice.
  void run(std::int64_t rows, const void* src, const void* weights, const void* residual, void* dst, Stream stream);
  int algorithm_id() const { return id_; }

 private:
  struct Plan {
    CublasLtOwner<cublasLtMatrixLayout_t> src, dst;
    cublasLtMatmulAlgo_t algorithm;
  };
  CublasLtOwner<cublasLtMatrixLayout_t> make_layout(cudaDataType_t type, std::int64_t rows, std::int64_t columns,
                                                    std::int64_t pitch) const;
  int find_algorithms(const Plan& plan, cublasLtMatmulHeuristicResult_t* results, int most) const;
  Plan make_plan(std::int64_t rows) const;
  void limit_workspace(std::size_t bytes);
  cublasStatus_t enqueue(const Plan& plan, const void* src, const void* weights, const void* residual, void* dst,
                         Stream stream) const;

  const CublasLtApi& api_;
  Runtime& runtime_;
  MatmulSpec spec_;
  CublasLtOwner<cublasLtMatmulDesc_t> operation_;
  CublasLtOwner<cublasLtMatrixLayout_t> weights_;
  CublasLtOwner<cublasLtMatmulPreference_t> preference_;
  DeviceBuffer workspace_;
  std::map<std::int64_t, Plan> plans_;
  int id_ = -1;
};

}  // namespace gpueval::cuda
