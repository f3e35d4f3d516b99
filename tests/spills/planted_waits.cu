// SPDX-License-Identifier: Apache-2.0
// A loop that waits for every single asynchronous product, which scripts/check_loops.py must report.
#include "cuda/prim/wgmma.h"

namespace gpueval::gpu {

__global__ void planted_waits(int* sums, int count) {
  int acc[32] = {};
  const std::uint64_t source = wgmma_descriptor(0, 1024), weights = wgmma_descriptor(8192, 1024);
#pragma unroll 1
  for (int i = 0; i < count; ++i) {
    wgmma_fence();
    wgmma<64, true>(acc, source, weights);
    wgmma_commit();
    wgmma_wait<0>();
    wgmma_take(acc);
  }
  for (int i = 0; i < 32; ++i) sums[i * 128 + static_cast<int>(threadIdx.x)] = acc[i];
}

}  // namespace gpueval::gpu
