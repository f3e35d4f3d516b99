// SPDX-License-Identifier: Apache-2.0
// Programmatic dependent launch (sm_90 on): on a stream that overlaps (runtime/stream.h) a kernel started by
// launch_early() begins when every block of the one in front has begun, not when it has ended. Its threads compute
// addresses and read what no kernel writes (weights, factors) first; before they read what an earlier kernel wrote, and
// before they write anything, they wait. Each thread does both, whatever it has to do.
#pragma once

#include "cuda/prim/target.h"
#if !defined(__CUDACC__)
#include "emulator/device.h"
#endif

namespace gpueval::GPUEVAL_TARGET {

// Returns when every kernel in front has ended and what they wrote can be seen.
GPUEVAL_DEVICE void wait_for_previous_kernel() {
#if !defined(__CUDACC__)
  emulator::device::wait_for_previous_kernel();
#elif GPUEVAL_HAS_SM(90)
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// Lets the kernel behind begin as soon as every block has got here: its blocks take what room is left.
GPUEVAL_DEVICE void let_next_kernel_begin() {
#if defined(__CUDACC__) && GPUEVAL_HAS_SM(90)
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}

// For kernels that have nothing to do before they wait.
GPUEVAL_DEVICE void begin_behind_previous_kernel() {
  let_next_kernel_begin();
  wait_for_previous_kernel();
}

}  // namespace gpueval::GPUEVAL_TARGET
