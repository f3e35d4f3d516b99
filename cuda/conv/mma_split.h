// SPDX-License-Identifier: Apache-2.0
// Tiles whose depth several blocks share: each adds its sums to the workspace, and the last one to arrive takes the
// whole from there and leaves zeros. int32 sums do not depend on the order, so the result stays exact.
#pragma once

#include <cstdint>

#include "cuda/conv/last_arrival.h"
#include "cuda/conv/mma_params.h"
#include "cuda/prim/atomic.h"
#include "cuda/prim/target.h"
#include "cuda/prim/thread.h"

namespace gpueval::GPUEVAL_TARGET {

// Adds a block's sums; true for the last block of the tile, which then holds the sums of the whole depth. The workspace
// is laid out by element, then thread: a warp adds to 128 contiguous bytes. Uses the first bytes of shared memory.
template <cuda::MmaTile kTile, typename Sums>
GPUEVAL_DEVICE bool join_parts(const MmaParams& p, Sums& sums, int tile) {
  constexpr int kRows = kTile.warp_m() / 8, kColumns = kTile.warp_n() / 8;
  const int parts = static_cast<int>(grid_size().z);
  if (parts == 1) return true;
  const int thread = static_cast<int>(thread_index().x);
  int* const mine = p.sums + (static_cast<std::int64_t>(tile) * kTile.m * kTile.n + thread);
  GPUEVAL_UNROLL
  for (int i = 0; i < kRows; ++i) {
    GPUEVAL_UNROLL
    for (int j = 0; j < kColumns; ++j) {
      GPUEVAL_UNROLL
      for (int e = 0; e < 2; ++e) reduce_add(mine + ((i * kColumns + j) * 2 + e) * kTile.threads(), sums.at(i, j, e));
    }
  }
  if (!last_arrival(p.arrived + tile, parts)) return false;
  GPUEVAL_UNROLL
  for (int i = 0; i < kRows; ++i) {
    GPUEVAL_UNROLL
    for (int j = 0; j < kColumns; ++j) {
      GPUEVAL_UNROLL
      for (int e = 0; e < 2; ++e) {
        int* const at = mine + ((i * kColumns + j) * 2 + e) * kTile.threads();
        sums.at(i, j, e) = load_volatile(at);
        *at = 0;
      }
    }
  }
  if (thread == 0) p.arrived[tile] = 0;
  return true;
}

}  // namespace gpueval::GPUEVAL_TARGET
