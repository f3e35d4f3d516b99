// SPDX-License-Identifier: Apache-2.0
// Tensor maps by the driver, which is asked for its functions by name: nothing is linked to it. (Drivers up to 13.1 set
// a bit wrong in maps of tensors under 128 KiB. By CUTLASS's account Hopper, which alone runs what takes maps here,
// does not look at it.)
#include "cuda/runtime/tensor_map.h"

#include <cuda.h>
#include <cudaTypedefs.h>
#include <cuda_runtime.h>

#include <cstring>

#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

static_assert(sizeof(TensorMap) == sizeof(CUtensorMap) && alignof(TensorMap) >= alignof(CUtensorMap));
constexpr unsigned kVersion = 12000;  // of CUDA, the first that has them

template <typename Function>
Function driver_function(const char* kernel, const char* name) {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result = cudaDriverEntryPointSymbolNotFound;
  const cudaError_t error = cudaGetDriverEntryPointByVersion(name, &found, kVersion, cudaEnableDefault, &result);
  if (error != cudaSuccess) static_cast<void>(cudaGetLastError());
  if (error != cudaSuccess || result != cudaDriverEntryPointSuccess || found == nullptr) {
    fail("kernel '{}': no tensor map: the driver has no {}", kernel, name);
  }
  return reinterpret_cast<Function>(found);
}

}  // namespace

TensorMap encode_tensor_map(const char* kernel, const TensorMapFields& f) {
  TensorMap map = {};
  auto* const native = reinterpret_cast<CUtensorMap*>(&map);
  auto* const address = const_cast<void*>(f.address);
  cuuint64_t sizes[4], strides[3];
  for (int i = 0; i < 4; ++i) sizes[i] = f.sizes[i];
  for (int i = 0; i < 3; ++i) strides[i] = f.strides[i];
  constexpr CUtensorMapDataType kType = CU_TENSOR_MAP_DATA_TYPE_UINT8;
  constexpr CUtensorMapInterleave kInterleave = CU_TENSOR_MAP_INTERLEAVE_NONE;
  constexpr CUtensorMapSwizzle kSwizzle = CU_TENSOR_MAP_SWIZZLE_128B;
  constexpr CUtensorMapL2promotion kPromotion = CU_TENSOR_MAP_L2_PROMOTION_L2_128B;
  constexpr CUtensorMapFloatOOBfill kFill = CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;  // zeros
  CUresult result = CUDA_SUCCESS;
  if (f.im2col) {
    const cuuint32_t steps[] = {1, f.element_strides[0], f.element_strides[1], 1};
    static const auto encode = driver_function<PFN_cuTensorMapEncodeIm2col_v12000>(kernel, "cuTensorMapEncodeIm2col");
    result = encode(native, kType, f.rank, address, sizes, strides, f.lower, f.upper, f.box[0], f.box[1], steps,
                    kInterleave, kSwizzle, kPromotion, kFill);
  } else {
    const cuuint32_t steps[] = {1, 1};
    static const auto encode = driver_function<PFN_cuTensorMapEncodeTiled_v12000>(kernel, "cuTensorMapEncodeTiled");
    result =
        encode(native, kType, f.rank, address, sizes, strides, f.box, steps, kInterleave, kSwizzle, kPromotion, kFill);
  }
  if (result != CUDA_SUCCESS)
    fail("kernel '{}': no tensor map: the driver's error {}", kernel, static_cast<int>(result));
  return map;
}

}  // namespace gpueval::cuda
