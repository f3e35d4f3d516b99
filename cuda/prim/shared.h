// SPDX-License-Identifier: Apache-2.0
// The block's dynamic shared memory: one arena, byte offsets from its start, 1024-byte aligned. Under the emulator
// every access is checked for bounds and alignment.
#pragma once

#include "cuda/prim/target.h"
#if !defined(__CUDACC__)
#include "emulator/device.h"
#endif

namespace gpueval::GPUEVAL_TARGET {

#if defined(__CUDACC__)
extern __shared__ __align__(1024) unsigned char gpueval_shared_arena[];
template <typename T>
GPUEVAL_DEVICE T& shared_at(std::uint32_t offset) {
  return *reinterpret_cast<T*>(gpueval_shared_arena + offset);
}
// The address that PTX wants for an offset.
GPUEVAL_DEVICE std::uint32_t shared_address(std::uint32_t offset) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(gpueval_shared_arena)) + offset;
}
#else
template <typename T>
T& shared_at(std::uint32_t offset) {
  return *reinterpret_cast<T*>(emulator::device::shared(offset, sizeof(T), alignof(T)));
}
// There an address is an offset.
inline std::uint32_t shared_address(std::uint32_t offset) { return offset; }
#endif

// The same with a type of its own, for loops that keep the address of an offset in a register.
struct SharedAddress {
  std::uint32_t value;
  SharedAddress() = default;
  GPUEVAL_DEVICE explicit SharedAddress(std::uint32_t offset) : value(shared_address(offset)) {}
};
GPUEVAL_DEVICE SharedAddress operator+(SharedAddress address, std::uint32_t bytes) {
  address.value += bytes;
  return address;
}

// count elements of type T at a byte offset: Shared<int> sums(0, 256); sums[i] = 0;
template <typename T>
struct Shared {
  std::uint32_t offset;
  std::uint32_t count;
  GPUEVAL_DEVICE Shared(std::uint32_t byte_offset, std::uint32_t elements) : offset(byte_offset), count(elements) {}
  template <typename I>
  GPUEVAL_DEVICE T& operator[](I index) const {
    const auto i = static_cast<std::uint32_t>(index);
#if !defined(__CUDACC__)
    emulator::device::check_index(i, count);
#endif
    return shared_at<T>(offset + i * static_cast<std::uint32_t>(sizeof(T)));
  }
};

}  // namespace gpueval::GPUEVAL_TARGET
