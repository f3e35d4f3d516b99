// SPDX-License-Identifier: Apache-2.0
// Tensor maps as kernels take them (cuda/prim/tma.h): a member of their parameters. For the GPU the driver encodes the
// fields, which is work of the host alone; the emulator gets them as they are.
#pragma once

#include <cstddef>
#include <cstring>

#include "core/tensor_map.h"
#include "cuda/prim/target.h"

namespace gpueval::cuda {

struct alignas(128) TensorMap {
  std::byte bytes[128];
};
static_assert(sizeof(TensorMapFields) <= sizeof(TensorMap));

inline TensorMap with_fields(const TensorMapFields& fields) {
  TensorMap map = {};
  std::memcpy(map.bytes, &fields, sizeof fields);
  return map;
}

// Throws Error "kernel 'NAME': no tensor map: REASON" where the driver would refuse the fields.
void check_tensor_map(const char* kernel, const TensorMapFields& fields);
// Of the GPU's driver; the same Error, also where the driver has no tensor maps.
TensorMap encode_tensor_map(const char* kernel, const TensorMapFields& fields);

}  // namespace gpueval::cuda

namespace gpueval::GPUEVAL_TARGET {

inline cuda::TensorMap make_tensor_map(const char* kernel, const TensorMapFields& fields) {
  cuda::check_tensor_map(kernel, fields);
#if defined(__CUDACC__)
  return cuda::encode_tensor_map(kernel, fields);
#else
  return cuda::with_fields(fields);
#endif
}
#if !defined(__CUDACC__)
inline TensorMapFields fields_of(const cuda::TensorMap& map) {
  TensorMapFields fields;
  std::memcpy(&fields, map.bytes, sizeof fields);
  return fields;
}
#endif

}  // namespace gpueval::GPUEVAL_TARGET
