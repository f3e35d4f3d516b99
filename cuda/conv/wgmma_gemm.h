// SPDX-License-Identifier: Apache-2.0
// Convolution by Hopper's wgmma (sm_90a), as the implicit matrix product of mma_gemm.h: same tiles, stages, packed
// weights, copies and output. Steps of 128 bytes: a stage as it is has the layout that wgmma reads (prim/wgmma.h).
//
// Tiling: each warpgroup (128 threads) multiplies 64 rows of the tile by all its columns, each warp of it has the sums
// of 16 rows in the fragments of mma_output.h (warps_m = m / 16, warps_n = 1).
//
// A row says how many steps' products may still run while the next step's begin, kBehind. None where other blocks of
// the multiprocessor fill the gap: copies run stages - 1 ahead. One where a tile has it to itself: that takes a stage
// more, copies run stages - 2 ahead. One barrier a step says that the step's bytes are there and that nobody's products
// read the stage that is copied to.
//
// A block computes one tile after the other; while it writes one, the first operands of the next are on their way. The
// output tile has a place of its own, where a tile's residual is copied while its sums are made.
//
// Why it beats mma_gemm.h: the tensor cores do half as much again by wgmma (an H200: 1956 TOPS against 1300); operands
// come from shared memory without registers, ldmatrix and their instructions, and a byte of weights serves 64 rows.
// What is left as the bound is what copies bring in, 64 bytes a cycle: 128x128x128 takes all of it, 128x256x128 48.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cuda/conv/conv_kernel.h"
#include "cuda/conv/mma_gemm.h"
#include "cuda/conv/mma_output.h"
#include "cuda/conv/mma_params.h"
#include "cuda/conv/mma_plan.h"
#include "cuda/conv/mma_tile.h"
#include "cuda/prim/async_proxy.h"
#include "cuda/prim/cp_async.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/target.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/warp.h"
#include "cuda/prim/wgmma.h"

namespace gpueval::GPUEVAL_TARGET {

// A lane's share of its warpgroup's sums, and where the warpgroup finds its operands in the first stage.
template <cuda::MmaTile kTile, bool kUnsigned>
struct Warpgroup {
  int acc[kTile.n / 2];
  std::uint64_t source, weights;

  GPUEVAL_DEVICE Warpgroup() {
    constexpr std::uint32_t kGroup = 8 * kTile.depth;  // bytes of 8 rows
    // The same for all lanes, and in a way that the compiler sees.
    const auto group = static_cast<std::uint32_t>(shuffle(static_cast<int>(thread_index().x / 128), 0));
    source = wgmma_descriptor(group * 8 * kGroup, kGroup);
    weights = wgmma_descriptor(kTile.source_bytes(), kGroup);
    GPUEVAL_UNROLL
    for (int i = 0; i < kTile.n / 2; ++i) acc[i] = 0;
  }

  // Element e of the warp's rows 8 i ... and columns 8 j ...
  GPUEVAL_DEVICE const int& at(int i, int j, int e) const { return acc[4 * j + 2 * i + e]; }

  // Starts the products of a step.
  GPUEVAL_DEVICE void multiply(std::uint32_t stage) {
    wgmma_fence();
    GPUEVAL_UNROLL
    for (std::uint32_t part = 0; part < kTile.depth / 32; ++part) {
      const std::uint64_t at = stage / 16 + part * kWgmmaDepth;
      wgmma<kTile.n, kUnsigned>(acc, source + at, weights + at);
    }
    wgmma_commit();
  }
  GPUEVAL_DEVICE void finish() {
    wgmma_wait<0>();
    wgmma_take(acc);
  }
};

// Row: static constexpr kName, kTile and kBehind.
template <typename Row, bool kUnsigned, bool kPointwise>
struct WgmmaTile {
  static constexpr cuda::MmaTile kTile = Row::kTile;
  static constexpr int kAhead = kTile.stages - 1 - Row::kBehind;
  static_assert(kTile.valid(16, 16) && kTile.shared_bytes() <= 227 * 1024 && kTile.persistent && !kTile.split_depth);
  static_assert(kTile.depth == 128 && kTile.m % 64 == 0 && kTile.warp_m() == 16 && kTile.warps_n == 1 && kAhead >= 1);
  using Copies = StageCopies<kTile, kPointwise>;

  // The copies that the first step's find under way.
  GPUEVAL_DEVICE static void start(const MmaParams& p, Copies& copies) {
    GPUEVAL_UNROLL
    for (int i = 0; i < kAhead; ++i) {
      if (i < p.steps) copies.issue(p, static_cast<std::uint32_t>(i) * kTile.stage_bytes());
      cp_async_commit();
    }
  }

  GPUEVAL_DEVICE static void multiply(const MmaParams& p, Warpgroup<kTile, kUnsigned>& sums, Copies& copies) {
    std::uint32_t read = 0, write = kAhead * kTile.stage_bytes();
    GPUEVAL_NO_UNROLL
    for (int step = 0; step < p.steps; ++step) {
      cp_async_wait<kAhead - 1>();
      async_proxy_fence();
      block_barrier();
      sums.multiply(read);
      if (step + kAhead < p.steps) copies.issue(p, write);
      cp_async_commit();  // also an empty group: the wait counts groups
      wgmma_wait<Row::kBehind>();
      read = next_stage<kTile>(read);
      write = next_stage<kTile>(write);
    }
    sums.finish();
  }
};

template <typename Row, bool kUnsigned, bool kPointwise>
GPUEVAL_KERNEL(Row::kTile.threads(), Row::kTile.blocks)
conv_wgmma(const MmaParams p) {
  using Tile = WgmmaTile<Row, kUnsigned, kPointwise>;
  constexpr cuda::MmaTile kTile = Row::kTile;
  let_next_kernel_begin();
  int at = static_cast<int>(block_index().x);
  cuda::TilePosition tile = p.order.at(at);
  typename Tile::Copies copies(p, tile, 0);
  wait_for_previous_kernel();
  Tile::start(p, copies);
  GPUEVAL_NO_UNROLL
  for (;;) {
    const int row0 = tile.m * kTile.m, channel0 = tile.n * kTile.n;
    stage_scales<kTile>(p.epilogue, channel0);
    if (p.epilogue.residual != nullptr) stage_residual<kTile, true>(p, row0, channel0, kTile.output_begin());
    Warpgroup<kTile, kUnsigned> sums;
    Tile::multiply(p, sums, copies);
    at += static_cast<int>(grid_size().x);
    const bool more = at < p.tiles;
    cp_async_wait<0>();  // the residual
    block_barrier();     // nobody's products read the stages any more
    if (more) {          // the next tile's first operands come while this one is written
      tile = p.order.at(at);
      copies = typename Tile::Copies(p, tile, 0);
      Tile::start(p, copies);
    }
    write_tile<kTile>(p, sums, row0, channel0, kTile.output_begin(), true);
    if (!more) return;
    block_barrier();  // before scales and output tile are overwritten
  }
}

template <typename Row>
struct WgmmaRow : TileRow<Row> {
  static void launch(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int multiprocessors,
                     cuda::Stream stream) {
    constexpr MmaVariants kVariants = {{{conv_wgmma<Row, false, false>, conv_wgmma<Row, false, true>},
                                        {conv_wgmma<Row, true, false>, conv_wgmma<Row, true, true>}}};
    launch_mma(Row::kName, kVariants, Row::kTile, problem, args, multiprocessors, stream);
  }
  static constexpr cuda::ConvKernel kernel() {
    return tile_kernel<Row, WgmmaRow>(90, cuda::ConvFamily::kWgmma, kWgmmaSm);
  }
};

}  // namespace gpueval::GPUEVAL_TARGET
