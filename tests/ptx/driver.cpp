// SPDX-License-Identifier: Apache-2.0
// What the CUDA driver is asked for by name: it makes tensor maps. Here the 128 bytes hold the arguments as they are.
#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstring>

#include "core/tensor_map.h"
#include "ptx/cudart.h"

namespace {

using gpueval::TensorMapFields;

CUresult keep(CUtensorMap* map, const TensorMapFields& fields) {
  static_assert(sizeof fields <= sizeof *map);
  std::memset(map, 0, sizeof *map);
  std::memcpy(map, &fields, sizeof fields);
  return CUDA_SUCCESS;
}

// The forms that the interpreter knows; false: another one.
bool known(CUtensorMapDataType type, CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle,
           CUtensorMapFloatOOBfill fill) {
  return type == CU_TENSOR_MAP_DATA_TYPE_UINT8 && interleave == CU_TENSOR_MAP_INTERLEAVE_NONE &&
         swizzle == CU_TENSOR_MAP_SWIZZLE_128B && fill == CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;
}

TensorMapFields fields_of(cuuint32_t rank, void* address, const cuuint64_t* sizes, const cuuint64_t* strides) {
  TensorMapFields fields{.address = address, .rank = rank};
  for (cuuint32_t d = 0; d < rank; ++d) fields.sizes[d] = static_cast<std::uint32_t>(sizes[d]);
  for (cuuint32_t d = 0; d + 1 < rank; ++d) fields.strides[d] = strides[d];
  return fields;
}

CUresult encode_tiled(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* address,
                      const cuuint64_t* sizes, const cuuint64_t* strides, const cuuint32_t* box,
                      const cuuint32_t* steps, CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle,
                      CUtensorMapL2promotion, CUtensorMapFloatOOBfill fill) {
  if (!known(type, interleave, swizzle, fill) || rank != 2 || steps[0] != 1 || steps[1] != 1 || box[0] != 128 ||
      box[1] > 256) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  TensorMapFields fields = fields_of(rank, address, sizes, strides);
  fields.box[0] = box[0];
  fields.box[1] = box[1];
  return keep(map, fields);
}

CUresult encode_im2col(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* address,
                       const cuuint64_t* sizes, const cuuint64_t* strides, const int* lower, const int* upper,
                       cuuint32_t channels, cuuint32_t pixels, const cuuint32_t* steps,
                       CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle, CUtensorMapL2promotion,
                       CUtensorMapFloatOOBfill fill) {
  if (!known(type, interleave, swizzle, fill) || rank != 4 || steps[0] != 1 || steps[3] != 1 || channels != 128 ||
      pixels > 1024) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  TensorMapFields fields = fields_of(rank, address, sizes, strides);
  fields.im2col = true;
  fields.box[0] = channels;
  fields.box[1] = pixels;
  for (int i = 0; i < 2; ++i) {
    fields.lower[i] = lower[i];
    fields.upper[i] = upper[i];
    fields.element_strides[i] = steps[i + 1];
  }
  return keep(map, fields);
}

}  // namespace

cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** function, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult* result) {
  *function = std::strcmp(name, "cuTensorMapEncodeTiled") == 0    ? reinterpret_cast<void*>(encode_tiled)
              : std::strcmp(name, "cuTensorMapEncodeIm2col") == 0 ? reinterpret_cast<void*>(encode_im2col)
                                                                  : nullptr;
  *result = *function != nullptr ? cudaDriverEntryPointSuccess : cudaDriverEntryPointSymbolNotFound;
  return cudaSuccess;
}
