// SPDX-License-Identifier: Apache-2.0
// Vectors of 8 and 16 bytes, moved by one instruction; the address must be aligned to the vector (checked in the
// emulator).
#pragma once

#include "cuda/prim/target.h"
#if !defined(__CUDACC__)
#include "emulator/device.h"
#endif

namespace gpueval::GPUEVAL_TARGET {

struct alignas(8) Bytes8 {
  std::uint32_t word[2];
};
struct alignas(16) Bytes16 {
  std::uint32_t word[4];
};

// T: Bytes16, Bytes8, std::uint32_t, ... Reads through the read-only path on the GPU: the memory must not be written
// by the same kernel.
template <typename T>
GPUEVAL_DEVICE T load_global(const void* address) {
#if defined(__CUDACC__)
  if constexpr (sizeof(T) == 16) {
    const int4 v = __ldg(static_cast<const int4*>(address));
    T out;
    memcpy(&out, &v, 16);
    return out;
  } else if constexpr (sizeof(T) == 8) {
    const int2 v = __ldg(static_cast<const int2*>(address));
    T out;
    memcpy(&out, &v, 8);
    return out;
  } else {
    return __ldg(static_cast<const T*>(address));
  }
#else
  emulator::device::check_alignment(address, alignof(T));
  return *static_cast<const T*>(address);
#endif
}

template <typename T>
GPUEVAL_DEVICE void store_global(void* address, const T& value) {
#if !defined(__CUDACC__)
  emulator::device::check_alignment(address, alignof(T));
#endif
  *static_cast<T*>(address) = value;
}

}  // namespace gpueval::GPUEVAL_TARGET
