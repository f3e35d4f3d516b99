// SPDX-License-Identifier: Apache-2.0
// Asynchronous copies of 4 or 16 bytes from global to shared memory (sm_80). valid = false writes zeros and reads
// nothing, but the address must still be one of the tensor. Copies of a group are visible to their own thread after
// cp_async_wait, to the block after a barrier behind it.
#pragma once

#include "cuda/prim/shared.h"

namespace gpueval::GPUEVAL_TARGET {

#if defined(__CUDACC__)
GPUEVAL_DEVICE void cp_async_16(SharedAddress dst, const void* src, bool valid) {
#if GPUEVAL_HAS_SM(80)
  const int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
               :
               : "r"(dst.value), "l"(__cvta_generic_to_global(src)), "r"(bytes)
               : "memory");
#else
  __trap();  // never launched there: the row's min_sm is 80
#endif
}
GPUEVAL_DEVICE void cp_async_4(SharedAddress dst, const void* src, bool valid) {
#if GPUEVAL_HAS_SM(80)
  const int bytes = valid ? 4 : 0;
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;"
               :
               : "r"(dst.value), "l"(__cvta_generic_to_global(src)), "r"(bytes)
               : "memory");
#else
  __trap();
#endif
}
GPUEVAL_DEVICE void cp_async_commit() {
#if GPUEVAL_HAS_SM(80)
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
// Waits until at most kPending of the newest groups are under way.
template <int kPending>
GPUEVAL_DEVICE void cp_async_wait() {
#if GPUEVAL_HAS_SM(80)
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#endif
}
#else
inline void cp_async_16(SharedAddress dst, const void* src, bool valid) {
  emulator::device::cp_async_16(dst.value, src, valid);
}
inline void cp_async_4(SharedAddress dst, const void* src, bool valid) {
  emulator::device::cp_async_4(dst.value, src, valid);
}
inline void cp_async_commit() { emulator::device::cp_async_commit(); }
template <int kPending>
void cp_async_wait() {
  emulator::device::cp_async_wait(kPending);
}
#endif
GPUEVAL_DEVICE void cp_async_16(std::uint32_t offset, const void* src, bool valid) {
  cp_async_16(SharedAddress(offset), src, valid);
}
GPUEVAL_DEVICE void cp_async_4(std::uint32_t offset, const void* src, bool valid) {
  cp_async_4(SharedAddress(offset), src, valid);
}

}  // namespace gpueval::GPUEVAL_TARGET
