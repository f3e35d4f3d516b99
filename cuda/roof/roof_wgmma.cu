// SPDX-License-Identifier: Apache-2.0
// Hopper's products from shared memory: two warpgroups a block, rows of their own, the same columns. The operands'
// words repeat after 8 rows; roof_loops.cu says what else holds for all loops.
#include "cuda/conv/mma_tile.h"
#include "cuda/prim/async_proxy.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/warp.h"
#include "cuda/prim/wgmma.h"
#include "cuda/roof/roof.h"
#include "cuda/roof/roof_rows.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

using cuda::kRoofChains;
using cuda::kRoofThreads;
using cuda::kRoofUnroll;

struct LoopParams {
  const std::uint32_t* words;
  void* dst;
  int iterations;
};

constexpr int kColumns = 128;
constexpr std::uint32_t kRowWords = 32, kRows = kRoofThreads / 2, kGroupBytes = 8 * kRowWords * 4;
constexpr std::uint32_t kBytes = (kRows + kColumns) * kRowWords * 4;

GPUEVAL_KERNEL(kRoofThreads) roof_wgmma_m64n128k32(const LoopParams p) {
  for (std::uint32_t i = thread_index().x; i < kBytes / 4; i += kRoofThreads) {
    const std::uint32_t row = i / kRowWords, word = i % kRowWords, other = row < kRows ? 0 : 128;
    shared_at<std::uint32_t>(cuda::chunk_offset(row, word / 4, 8) + word % 4 * 4) = p.words[(i + other) % 256];
  }
  async_proxy_fence();
  block_barrier();
  const auto group = static_cast<std::uint32_t>(shuffle(static_cast<int>(thread_index().x / 128), 0));
  const std::uint64_t source = wgmma_descriptor(group * 8 * kGroupBytes, kGroupBytes);
  const std::uint64_t columns = wgmma_descriptor(kRows * kRowWords * 4, kGroupBytes);
  int acc[kColumns / 2];
  GPUEVAL_UNROLL
  for (int i = 0; i < kColumns / 2; ++i) acc[i] = 0;
  GPUEVAL_NO_UNROLL
  for (int i = 0; i < p.iterations; ++i) {
    GPUEVAL_UNROLL
    for (int j = 0; j < kRoofUnroll; ++j) {
      wgmma_fence();
      GPUEVAL_UNROLL
      for (int c = 0; c < kRoofChains; ++c) wgmma<kColumns, false>(acc, source, columns);
      wgmma_commit();
      wgmma_wait<1>();
    }
  }
  wgmma_wait<0>();
  wgmma_take(acc);
  std::uint32_t sum = 0;
  GPUEVAL_UNROLL
  for (int i = 0; i < kColumns / 2; ++i) sum += static_cast<std::uint32_t>(acc[i]);
  static_cast<std::uint32_t*>(p.dst)[block_index().x * kRoofThreads + thread_index().x] = sum;
}

}  // namespace

// A warpgroup's product is 2 * 64 * 128 * 32 operations.
const cuda::RoofKernel kRoofWgmma = {
    "wgmma_m64n128k32",
    "TOPS",
    90,
    std::int64_t{kRoofChains} * kRoofUnroll * 4096,
    [](const cuda::RoofArgs& a, cuda::Stream s) {
      const LoopParams params{static_cast<const std::uint32_t*>(a.src), a.dst, a.iterations};
      launch(s, "roof_wgmma_m64n128k32", {a.blocks, 1, 1}, kRoofThreads, kBytes, roof_wgmma_m64n128k32, params);
    },
    kWgmmaSm};

}  // namespace gpueval::GPUEVAL_TARGET
