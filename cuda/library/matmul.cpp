// SPDX-License-Identifier: Apache-2.0
#include "cuda/library/matmul.h"

#include <limits>
#include <optional>
#include <utility>

#include "cuda/library/support.h"

namespace gpueval::cuda {
namespace {

constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;  // what cuBLAS's manual advises for Hopper
constexpr int kMostAlgorithms = 16;

cudaStream_t native(Stream stream) { return static_cast<cudaStream_t>(stream.handle); }

CublasLtOwner<cublasLtMatmulDesc_t> make_operation(const CublasLtApi& api, const MatmulSpec& spec) {
  cublasLtMatmulDesc_t made = nullptr;
  const cudaDataType_t scale = spec.compute == CUBLAS_COMPUTE_32I ? CUDA_R_32I : CUDA_R_32F;
  GPUEVAL_CUBLASLT_CHECK(api, cublasLtMatmulDescCreate(&made, spec.compute, scale));
  CublasLtOwner<cublasLtMatmulDesc_t> owner(made, api.cublasLtMatmulDescDestroy);
  const cublasOperation_t transpose = spec.weights_by_output ? CUBLAS_OP_T : CUBLAS_OP_N;
  GPUEVAL_CUBLASLT_CHECK(
      api, cublasLtMatmulDescSetAttribute(made, CUBLASLT_MATMUL_DESC_TRANSA, &transpose, sizeof(transpose)));
  GPUEVAL_CUBLASLT_CHECK(
      api, cublasLtMatmulDescSetAttribute(made, CUBLASLT_MATMUL_DESC_EPILOGUE, &spec.epilogue, sizeof(spec.epilogue)));
  if (spec.bias != nullptr) {
    GPUEVAL_CUBLASLT_CHECK(
        api, cublasLtMatmulDescSetAttribute(made, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &spec.bias, sizeof(spec.bias)));
  }
  return owner;
}

CublasLtOwner<cublasLtMatmulPreference_t> make_preference(const CublasLtApi& api) {
  cublasLtMatmulPreference_t made = nullptr;
  GPUEVAL_CUBLASLT_CHECK(api, cublasLtMatmulPreferenceCreate(&made));
  CublasLtOwner<cublasLtMatmulPreference_t> owner(made, api.cublasLtMatmulPreferenceDestroy);
  return owner;
}

}  // namespace

Matmul::Matmul(const CublasLtApi& api, Runtime& runtime, const MatmulSpec& spec)
    : api_(api),
      runtime_(runtime),
      spec_(spec),
      operation_(make_operation(api, spec)),
      weights_(spec.weights_by_output ? make_layout(spec.src, spec.c, spec.k, spec.c)
                                      : make_layout(spec.src, spec.k, spec.c, spec.k)),
      preference_(make_preference(api)) {
  limit_workspace(kWorkspaceBytes);
}

// From now on, every algorithm has to do with that much.
void Matmul::limit_workspace(std::size_t bytes) {
  workspace_ = DeviceBuffer(runtime_, bytes);
  GPUEVAL_CUBLASLT_CHECK(api_, cublasLtMatmulPreferenceSetAttribute(
                                   preference_.get(), CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes, sizeof(bytes)));
}

CublasLtOwner<cublasLtMatrixLayout_t> Matmul::make_layout(cudaDataType_t type, std::int64_t rows, std::int64_t columns,
                                                          std::int64_t pitch) const {
  cublasLtMatrixLayout_t made = nullptr;
  GPUEVAL_CUBLASLT_CHECK(api_, cublasLtMatrixLayoutCreate(&made, type, static_cast<std::uint64_t>(rows),
                                                          static_cast<std::uint64_t>(columns), pitch));
  return {made, api_.cublasLtMatrixLayoutDestroy};
}

Matmul::Plan Matmul::make_plan(std::int64_t rows) const {
  return {make_layout(spec_.src, spec_.c, rows, spec_.src_pitch), make_layout(spec_.dst, spec_.k, rows, spec_.k), {}};
}

int Matmul::find_algorithms(const Plan& plan, cublasLtMatmulHeuristicResult_t* results, int most) const {
  int count = 0;
  const cublasStatus_t status =
      api_.cublasLtMatmulAlgoGetHeuristic(cublaslt_handle(api_), operation_.get(), weights_.get(), plan.src.get(),
                                          plan.dst.get(), plan.dst.get(), preference_.get(), most, results, &count);
  return status == CUBLAS_STATUS_SUCCESS ? count : 0;
}

cublasStatus_t Matmul::enqueue(const Plan& plan, const void* src, const void* weights, const void* residual, void* dst,
                               Stream stream) const {
  const float one = 1, residual_factor = residual != nullptr ? 1.0f : 0.0f;
  const std::int32_t integer_one = 1, integer_factor = residual != nullptr ? 1 : 0;
  const bool integer = spec_.compute == CUBLAS_COMPUTE_32I;
  const void* alpha = integer ? static_cast<const void*>(&integer_one) : &one;
  const void* beta = integer ? static_cast<const void*>(&integer_factor) : &residual_factor;
  return api_.cublasLtMatmul(cublaslt_handle(api_), operation_.get(), alpha, weights, weights_.get(), src,
                             plan.src.get(), beta, residual != nullptr ? residual : dst, plan.dst.get(), dst,
                             plan.dst.get(), &plan.algorithm, workspace_.data(), workspace_.size(), native(stream));
}

bool Matmul::choose(std::int64_t rows, PlanTimes& times, const std::function<Operands()>& operands, Stream stream) {
  Plan plan = make_plan(rows);
  cublasLtMatmulHeuristicResult_t results[kMostAlgorithms] = {};
  const int count = find_algorithms(plan, results, kMostAlgorithms);
  std::optional<cublasLtMatmulHeuristicResult_t> chosen;
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < count; ++i) {
    if (results[i].state != CUBLAS_STATUS_SUCCESS) continue;
    plan.algorithm = results[i].algo;
    const auto measure = [&]() -> std::optional<double> {
      const Operands on = operands();
      const auto multiply = [&] { return enqueue(plan, on.src, on.weights, on.residual, on.dst, stream); };
      if (multiply() != CUBLAS_STATUS_SUCCESS) return std::nullopt;
      return least_seconds(runtime_, stream, multiply);
    };
    const std::optional<double> seconds = times.seconds(fmt::format("heuristic {}", i), measure);
    if (!seconds || *seconds >= best) continue;
    best = *seconds;
    chosen = results[i];
  }
  if (!chosen) return false;
  plan.algorithm = chosen->algo;
  limit_workspace(chosen->workspaceSize);
  std::size_t written = 0;
  GPUEVAL_CUBLASLT_CHECK(api_, cublasLtMatmulAlgoConfigGetAttribute(&plan.algorithm, CUBLASLT_ALGO_CONFIG_ID, &id_,
                                                                    sizeof(id_), &written));
  plans_.insert_or_assign(rows, std::move(plan));
  return true;
}

void Matmul::run(std::int64_t rows, const void* src, const void* weights, const void* residual, void* dst,
                 Stream stream) {
  auto plan = plans_.find(rows);
  if (plan == plans_.end()) {
    Plan made = make_plan(rows);
    cublasLtMatmulHeuristicResult_t result = {};
    if (find_algorithms(made, &result, 1) == 0 || result.state != CUBLAS_STATUS_SUCCESS) {
      fail("cuBLASLt {}: no algorithm for {} rows of {} x {} channels", cublaslt_version(), rows, spec_.c, spec_.k);
    }
    made.algorithm = result.algo;
    plan = plans_.emplace(rows, std::move(made)).first;
  }
  const cublasStatus_t status = enqueue(plan->second, src, weights, residual, dst, stream);
  if (status != CUBLAS_STATUS_SUCCESS) {
    fail("cuBLASLt {}: {} for {} rows of {} x {} channels", cublaslt_version(), api_.cublasLtGetStatusString(status),
         rows, spec_.c, spec_.k);
  }
}

}  // namespace gpueval::cuda
