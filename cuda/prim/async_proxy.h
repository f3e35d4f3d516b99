// SPDX-License-Identifier: Apache-2.0
// wgmma reads shared memory through the asynchronous proxy, which sees what a thread has written there (stores, and
// cp.async that it has waited for) only behind this fence of the same thread. sm_90.
#pragma once

#include "cuda/prim/target.h"
#if !defined(__CUDACC__)
#include "emulator/device.h"
#endif

namespace gpueval::GPUEVAL_TARGET {

GPUEVAL_DEVICE void async_proxy_fence() {
#if !defined(__CUDACC__)
  emulator::device::async_proxy_fence();
#elif GPUEVAL_HAS_SM(90)
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#else
  __trap();  // never launched there
#endif
}

}  // namespace gpueval::GPUEVAL_TARGET
