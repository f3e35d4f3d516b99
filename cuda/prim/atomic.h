// SPDX-License-Identifier: Apache-2.0
// Atomic updates of memory (reduce_add: of global memory), and the fence that publishes ordinary writes before one.
#pragma once

#include "cuda/prim/target.h"
#if !defined(__CUDACC__)
#include <atomic>
#endif

namespace gpueval::GPUEVAL_TARGET {

// Return the old value. Integer sums and maxima do not depend on the order, so results stay exact.
#if defined(__CUDACC__)
GPUEVAL_DEVICE int atomic_add(int* address, int value) { return atomicAdd(address, value); }
GPUEVAL_DEVICE int atomic_max(int* address, int value) { return atomicMax(address, value); }
// Without the old value: nothing comes back that a thread would hold a register for. (From atomicAdd the compiler makes
// the instruction with a result for sm_90, even where nobody takes it.)
GPUEVAL_DEVICE void reduce_add(int* address, int value) {
  asm volatile("red.relaxed.gpu.global.add.s32 [%0], %1;" ::"l"(__cvta_generic_to_global(address)), "r"(value)
               : "memory");
}
GPUEVAL_DEVICE void device_fence() { __threadfence(); }
// Reads memory that other blocks wrote in this launch: past the cache of the multiprocessor.
GPUEVAL_DEVICE int load_volatile(const int* address) { return __ldcg(address); }
#else
inline int atomic_add(int* address, int value) { return std::atomic_ref<int>(*address).fetch_add(value); }
inline void reduce_add(int* address, int value) { atomic_add(address, value); }
inline int atomic_max(int* address, int value) {
  std::atomic_ref<int> target(*address);
  int old = target.load();
  while (old < value && !target.compare_exchange_weak(old, value)) {
  }
  return old;
}
inline void device_fence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline int load_volatile(const int* address) { return std::atomic_ref<int>(*const_cast<int*>(address)).load(); }
#endif

}  // namespace gpueval::GPUEVAL_TARGET
