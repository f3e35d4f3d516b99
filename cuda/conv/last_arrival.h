// SPDX-License-Identifier: Apache-2.0
// Which block of a tile comes last, where several blocks add to the same sums (mma_split.h, conv_s8_dp4a_split.cu).
#pragma once

#include "cuda/prim/atomic.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/target.h"
#include "cuda/prim/thread.h"

namespace gpueval::GPUEVAL_TARGET {

// Called by all threads behind their additions; true in the last of `parts` blocks, whose threads then all see the sums
// of the others. One fence of one thread a side is enough, as in the grid barrier of cooperative groups: what the other
// threads of the block wrote happens before the block's barrier, the barrier before thread 0's fence, and a fence
// covers all that happened before it, whoever wrote it (cumulativity). On the other side the count that thread 0 reads,
// its fence and the barrier behind put the reads of all threads of the last block after those writes. Uses the first
// word of shared memory, of which nothing that lies there is needed any more; free again on return.
GPUEVAL_DEVICE bool last_arrival(int* arrived, int parts) {
  block_barrier();
  int& before = shared_at<int>(0);
  if (thread_index().x == 0) {
    device_fence();
    before = atomic_add(arrived, 1);
    device_fence();
  }
  block_barrier();
  const bool last = before == parts - 1;
  block_barrier();
  return last;
}

}  // namespace gpueval::GPUEVAL_TARGET
