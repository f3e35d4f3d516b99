// SPDX-License-Identifier: Apache-2.0
// Barriers in shared memory that count arrivals and bytes (sm_90): 8 bytes at a byte offset, a multiple of 8. Phases
// follow one another, with parities 0, 1, 0, ...; one is over when all its arrivals, and all bytes that were announced,
// have come. Waiting for parity 1 of a new barrier returns at once.
//   one thread: mbarrier_init(barrier, arrivals); ...; mbarrier_init_fence(); then a barrier of the block.
#pragma once

#include "cuda/prim/shared.h"

namespace gpueval::GPUEVAL_TARGET {

#if defined(__CUDACC__)
GPUEVAL_DEVICE void mbarrier_init(std::uint32_t barrier, std::uint32_t arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
}
// Copies of tma.h may name the barriers from here on.
GPUEVAL_DEVICE void mbarrier_init_fence() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
GPUEVAL_DEVICE void mbarrier_arrive(std::uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}
// Announces bytes, then arrives.
GPUEVAL_DEVICE void mbarrier_arrive_expect(std::uint32_t barrier, std::uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes)
               : "memory");
}
GPUEVAL_DEVICE void mbarrier_wait(std::uint32_t barrier, std::uint32_t parity) {
  const std::uint32_t address = shared_address(barrier);
  std::uint32_t over = 0;
  while (over == 0) {
    asm volatile(
        "{\n.reg .pred over;\nmbarrier.try_wait.parity.shared::cta.b64 over, [%1], %2;\nselp.u32 %0, 1, 0, over;\n}"
        : "=r"(over)
        : "r"(address), "r"(parity)
        : "memory");
  }
}
#else
inline void mbarrier_init(std::uint32_t barrier, std::uint32_t arrivals) {
  emulator::device::mbarrier_init(barrier, arrivals);
}
inline void mbarrier_init_fence() { emulator::device::async_proxy_fence(); }
inline void mbarrier_arrive(std::uint32_t barrier) { emulator::device::mbarrier_arrive(barrier); }
inline void mbarrier_arrive_expect(std::uint32_t barrier, std::uint32_t bytes) {
  emulator::device::mbarrier_arrive_expect(barrier, bytes);
}
inline void mbarrier_wait(std::uint32_t barrier, std::uint32_t parity, const char* file = __builtin_FILE(),
                          unsigned line = __builtin_LINE()) {
  emulator::device::mbarrier_wait(barrier, parity, file, line);
}
#endif

}  // namespace gpueval::GPUEVAL_TARGET
