// SPDX-License-Identifier: Apache-2.0
// A cuBLASLt of plain loops on host memory, as fake_cudnn.cpp is a cuDNN. It offers an algorithm without workspace, one
// with, one that it says it cannot run and one that fails when it runs; int8 products want A transposed and channels a
// multiple of 4; strict float32 fuses no epilogue.
#include <cublasLt.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cuda/prim/half.h"

namespace {

struct Layout : cublasLtMatrixLayoutOpaque_t {
  cudaDataType_t type;
  std::int64_t rows, columns, pitch;
};
struct Operation : cublasLtMatmulDescOpaque_t {
  cublasComputeType_t compute;
  cudaDataType_t scale;
  cublasOperation_t transpose_a = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
};
struct Preference : cublasLtMatmulPreferenceOpaque_t {
  std::size_t workspace = 0;
};
struct Algorithm {
  int id;
  std::size_t workspace;
  bool offered, runs;
};
constexpr Algorithm kAlgorithms[] = {
    {21, 0, true, true}, {7, 4096, true, true}, {3, 0, false, false}, {13, 0, true, false}};

int matmul_calls = 0;
std::size_t version = 130100;

const Layout& of(cublasLtMatrixLayout_t layout) { return *static_cast<const Layout*>(layout); }
const Operation& of(cublasLtMatmulDesc_t operation) { return *static_cast<const Operation*>(operation); }

double load(const void* data, cudaDataType_t type, std::int64_t i) {
  if (type == CUDA_R_32F) return static_cast<const float*>(data)[i];
  if (type == CUDA_R_16F) return gpueval::emu::to_float(static_cast<const gpueval::emu::Half*>(data)[i]);
  if (type == CUDA_R_32I) return static_cast<const std::int32_t*>(data)[i];
  return static_cast<const std::int8_t*>(data)[i];
}

void store(void* data, cudaDataType_t type, std::int64_t i, double value) {
  if (type == CUDA_R_32F) static_cast<float*>(data)[i] = static_cast<float>(value);
  if (type == CUDA_R_32I) static_cast<std::int32_t*>(data)[i] = static_cast<std::int32_t>(value);
  if (type == CUDA_R_16F) static_cast<gpueval::emu::Half*>(data)[i] = gpueval::emu::to_half(static_cast<float>(value));
}

bool fits(const Layout& m) { return m.pitch >= m.rows; }

cublasStatus_t check(const Operation& o, const Layout& a, const Layout& b, const Layout& c, const Layout& d) {
  const bool transposed = o.transpose_a == CUBLAS_OP_T, integer = o.compute == CUBLAS_COMPUTE_32I;
  const std::int64_t m = transposed ? a.columns : a.rows, depth = transposed ? a.rows : a.columns;
  if (depth != b.rows || m != d.rows || b.columns != d.columns || c.rows != d.rows || c.columns != d.columns ||
      !fits(a) || !fits(b) || !fits(c) || !fits(d) || a.type != b.type || c.type != d.type) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (integer != (a.type == CUDA_R_8I) || integer != (o.scale == CUDA_R_32I) || integer != (d.type == CUDA_R_32I)) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  if (integer && (!transposed || m % 4 != 0 || depth % 4 != 0 || a.pitch % 4 != 0 || b.pitch % 4 != 0)) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  const bool fused = o.epilogue != CUBLASLT_EPILOGUE_DEFAULT;
  return fused && (integer || o.compute == CUBLAS_COMPUTE_32F_PEDANTIC) ? CUBLAS_STATUS_NOT_SUPPORTED
                                                                        : CUBLAS_STATUS_SUCCESS;
}

double scalar(const Operation& o, const void* value) { return load(value, o.scale, 0); }

}  // namespace

extern "C" {

// For the tests.
int fake_calls() { return matmul_calls; }
void fake_set_version(std::size_t value) { version = value; }

std::size_t cublasLtGetVersion() { return version; }
const char* cublasLtGetStatusString(cublasStatus_t) { return "the fake's error"; }
cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  static int context;
  *handle = reinterpret_cast<cublasLtHandle_t>(&context);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* made, cublasComputeType_t compute, cudaDataType_t scale) {
  auto* operation = new Operation();
  operation->compute = compute;
  operation->scale = scale;
  *made = operation;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t value) {
  delete static_cast<Operation*>(value);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, std::size_t bytes) {
  auto& o = *static_cast<Operation*>(operation);
  const auto set = [&](auto& field) {
    if (bytes != sizeof(field)) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(&field, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
  };
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return set(o.transpose_a);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return set(o.epilogue);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return set(o.bias);
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* made, cudaDataType_t type, std::uint64_t rows,
                                          std::uint64_t columns, std::int64_t pitch) {
  auto* layout = new Layout();
  layout->type = type;
  layout->rows = static_cast<std::int64_t>(rows);
  layout->columns = static_cast<std::int64_t>(columns);
  layout->pitch = pitch;
  *made = layout;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t value) {
  delete static_cast<Layout*>(value);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* made) {
  *made = new Preference();
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t value) {
  delete static_cast<Preference*>(value);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                                                    std::size_t bytes) {
  auto& p = *static_cast<Preference*>(preference);
  if (attribute != CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (bytes != sizeof(p.workspace)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&p.workspace, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int most,
                                              cublasLtMatmulHeuristicResult_t* results, int* count) {
  *count = 0;
  const cublasStatus_t status = check(of(operation), of(a), of(b), of(c), of(d));
  if (status != CUBLAS_STATUS_SUCCESS) return status;
  for (const Algorithm& algorithm : kAlgorithms) {
    if (*count == most || algorithm.workspace > static_cast<const Preference*>(preference)->workspace) continue;
    cublasLtMatmulHeuristicResult_t& result = results[(*count)++];
    result.algo.data[0] = static_cast<std::uint64_t>(&algorithm - kAlgorithms);
    result.workspaceSize = algorithm.workspace;
    result.state = algorithm.offered ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoConfigGetAttribute(const cublasLtMatmulAlgo_t* algorithm,
                                                    cublasLtMatmulAlgoConfigAttributes_t attribute, void* value,
                                                    std::size_t bytes, std::size_t* written) {
  if (attribute != CUBLASLT_ALGO_CONFIG_ID || bytes != sizeof(int)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(value, &kAlgorithms[algorithm->data[0]].id, bytes);
  *written = bytes;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t operation, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout,
                              const void* beta, const void* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              std::size_t bytes, cudaStream_t) {
  ++matmul_calls;
  const Operation& o = of(operation);
  const Layout &la = of(a_layout), &lb = of(b_layout), &lc = of(c_layout), &ld = of(d_layout);
  if (const cublasStatus_t status = check(o, la, lb, lc, ld); status != CUBLAS_STATUS_SUCCESS) return status;
  const Algorithm& chosen = kAlgorithms[algorithm->data[0]];
  if (!chosen.runs) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (bytes < chosen.workspace || (chosen.workspace > 0 && workspace == nullptr)) return CUBLAS_STATUS_INVALID_VALUE;
  const bool transposed = o.transpose_a == CUBLAS_OP_T;
  const bool biased = o.epilogue == CUBLASLT_EPILOGUE_BIAS || o.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  const bool relu = o.epilogue == CUBLASLT_EPILOGUE_RELU || o.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  const double by = scalar(o, alpha), residual = scalar(o, beta);
  for (std::int64_t column = 0; column < ld.columns; ++column) {
    for (std::int64_t row = 0; row < ld.rows; ++row) {
      double sum = 0;
      for (std::int64_t i = 0; i < lb.rows; ++i) {
        sum += load(a, la.type, transposed ? i + row * la.pitch : row + i * la.pitch) *
               load(b, lb.type, i + column * lb.pitch);
      }
      double value = by * sum;
      if (residual != 0) value += residual * load(c, lc.type, row + column * lc.pitch);
      if (biased) value += load(o.bias, ld.type, row);
      store(d, ld.type, row + column * ld.pitch, relu ? std::max(value, 0.0) : value);
    }
  }
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
