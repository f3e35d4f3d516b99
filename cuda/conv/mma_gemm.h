// SPDX-License-Identifier: Apache-2.0
// Convolution by mma m16n8k32 (sm_80), as an implicit matrix product (mma_tile.h).
//
// Tiling: a block computes tile.m output pixels x tile.n channels; its warps share the tile out, warp_m x warp_n each,
// sums in registers. A step multiplies tile.depth bytes of R * S * C: 64 (or 128) bytes of each source row, gathered by
// 16-byte asynchronous copies that write zeros for taps outside the image, and of each weight row, an unbroken stream.
// tile.stages steps have a place: while one is multiplied, the next stages - 1 are there or on their way, and one
// barrier a step does for both "the next is here" and "the last may be overwritten".
//
// Shared memory: stages x (source rows, weight rows), 16-byte chunks turned row by row (swizzled_chunk) so that copies
// and ldmatrix are free of bank conflicts; m and b of the channels behind them; at the end the output tile lies over
// the stages (mma_output.h).
//
// Why it beats conv_s8_dp4a: one instruction of a warp does 4096 products, where dp4a does 128, and ldmatrix feeds it
// 512 bytes at a time; copies go around the registers. Products for each byte read from shared memory grow with the
// warp's share of the tile: 64 x 64 has 32, 64 x 32 has 21, 32 x 32 has 16, where the tensor cores of sm_80 take 16.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "cuda/conv/conv_kernel.h"
#include "cuda/conv/mma_operands.h"
#include "cuda/conv/mma_output.h"
#include "cuda/conv/mma_params.h"
#include "cuda/conv/mma_plan.h"
#include "cuda/conv/mma_split.h"
#include "cuda/conv/mma_tile.h"
#include "cuda/prim/cp_async.h"
#include "cuda/prim/keep.h"
#include "cuda/prim/ldmatrix.h"
#include "cuda/prim/mma.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/target.h"
#include "cuda/prim/thread.h"

namespace gpueval::GPUEVAL_TARGET {

// sm_80, sm_90; sm_86, sm_89 and sm_120 have less.
inline constexpr std::uint32_t kMultiprocessorShared = (GPUEVAL_HAS_SM(90) ? 228 : 164) * 1024;

// A warp's sums, operands of 32 bytes of depth, and where it finds them in a stage.
template <cuda::MmaTile kTile, bool kUnsigned>
struct MmaWarp {
  static constexpr int kRows = kTile.warp_m() / 16, kColumns = kTile.warp_n() / 8;
  struct Fragments {
    std::uint32_t source[kRows][4], weights[kColumns / 2][4];
  };

  int acc[kRows][kColumns][4];
  // Of the lane's first row in the first stage, for the first two times 32 bytes of depth: the next 64 bytes differ in
  // one bit (the arena is aligned), and four addresses of each would be two registers more than 128x128x128 has.
  SharedAddress source_at[2], weight_at[2];

  GPUEVAL_DEVICE MmaWarp() {
    const std::uint32_t warp = thread_index().x / 32, lane = thread_index().x % 32;
    const cuda::LaneChunk s = cuda::source_lane(lane), w = cuda::weight_lane(lane);
    constexpr std::uint32_t kChunks = kTile.chunks(), kWarpsN = kTile.warps_n;
    // Warps begin at multiples of 16 rows, which do not turn the chunks.
    const std::uint32_t source_row = (warp / kWarpsN * kTile.warp_m() + s.row) * kTile.depth;
    const std::uint32_t weight_row = kTile.source_bytes() + (warp % kWarpsN * kTile.warp_n() + w.row) * kTile.depth;
    const std::uint32_t source_chunk = cuda::swizzled_chunk(s.row, s.chunk, kChunks) * 16;
    const std::uint32_t weight_chunk = cuda::swizzled_chunk(w.row, w.chunk, kChunks) * 16;
    GPUEVAL_UNROLL
    for (std::uint32_t part = 0; part < 2; ++part) {
      source_at[part] = SharedAddress(source_row + (source_chunk ^ part * 32));
      weight_at[part] = SharedAddress(weight_row + (weight_chunk ^ part * 32));
      keep_in_register(source_at[part].value);
      keep_in_register(weight_at[part].value);
    }
    GPUEVAL_UNROLL
    for (int i = 0; i < kRows; ++i) {
      GPUEVAL_UNROLL
      for (int j = 0; j < kColumns; ++j) {
        GPUEVAL_UNROLL
        for (int e = 0; e < 4; ++e) acc[i][j][e] = 0;
      }
    }
  }

  GPUEVAL_DEVICE int& at(int i, int j, int e) { return acc[i / 2][j][i % 2 * 2 + e]; }
  GPUEVAL_DEVICE const int& at(int i, int j, int e) const { return acc[i / 2][j][i % 2 * 2 + e]; }

  GPUEVAL_DEVICE static SharedAddress of_part(const SharedAddress (&at)[2], std::uint32_t part) {
    SharedAddress address = at[part % 2];
    address.value ^= part / 2 * 64;
    return address;
  }

  // part: which 32 bytes of the step.
  GPUEVAL_DEVICE void load(Fragments& f, std::uint32_t stage, std::uint32_t part) const {
    GPUEVAL_UNROLL
    for (int i = 0; i < kRows; ++i) {
      ldmatrix_x4(f.source[i], of_part(source_at, part) + stage + static_cast<std::uint32_t>(i * 16 * kTile.depth));
    }
    GPUEVAL_UNROLL
    for (int j = 0; j < kColumns / 2; ++j) {
      ldmatrix_x4(f.weights[j], of_part(weight_at, part) + stage + static_cast<std::uint32_t>(j * 16 * kTile.depth));
    }
  }

  GPUEVAL_DEVICE void multiply(const Fragments& f) {
    GPUEVAL_UNROLL
    for (int i = 0; i < kRows; ++i) {
      GPUEVAL_UNROLL
      for (int j = 0; j < kColumns; ++j) {
        mma_m16n8k32<kUnsigned>(acc[i][j], f.source[i], f.weights[j / 2][j % 2 * 2], f.weights[j / 2][j % 2 * 2 + 1]);
      }
    }
  }
};

// Copies of one thread: a step of source rows and weights into a stage.
template <cuda::MmaTile kTile, bool kPointwise>
struct StageCopies {
  SourceReader<kTile, kPointwise> source;
  const std::uint8_t* weights;
  SharedAddress source_to, weights_to;  // of the thread's first copies to the first stage

  GPUEVAL_DEVICE StageCopies(const MmaParams& p, cuda::TilePosition tile, int step)
      : source(p, tile.m, step),
        weights(weight_stream<kTile>(p, tile.n, step)),
        source_to(source_slot<kTile>()),
        weights_to(kTile.source_bytes() + thread_index().x * 16) {
    keep_in_register(source.base);
    keep_in_register(source_to.value);
    keep_in_register(weights_to.value);
  }

  GPUEVAL_DEVICE void issue(const MmaParams& p, std::uint32_t stage) {
    GPUEVAL_UNROLL
    for (int i = 0; i < kTile.source_copies(); ++i) {
      const bool inside = source.inside(p, i);
      cp_async_16(source_to + stage + static_cast<std::uint32_t>(i * kTile.row_step() * kTile.depth),
                  inside ? source.address(i) : p.src, inside);
    }
    GPUEVAL_UNROLL
    for (int i = 0; i < kTile.weight_copies(); ++i) {
      constexpr int kCopied = kTile.threads() * 16, kStep = kTile.row_step();
      const bool all = (i + 1) * kStep <= kTile.n;
      if (!all && static_cast<int>(thread_index().x) / kTile.chunks() >= kTile.n - i * kStep) break;
      cp_async_16(weights_to + stage + static_cast<std::uint32_t>(i * kCopied), weights + i * kCopied, true);
    }
    source.advance(p);
    weights += kTile.weight_bytes();
  }
};

// The block's tile of the residual, copied as if it were the step behind the last one. All derived anew, not held: the
// loop has no registers to spare.
template <cuda::MmaTile kTile>
struct ResidualCopy {
  // Else it is read when the sums are there: no residual, no room, or several blocks share the tile.
  GPUEVAL_DEVICE static bool early(const MmaParams& p) {
    return kTile.residual_fits_stage() && p.epilogue.residual != nullptr && p.part_steps >= p.steps;
  }
  GPUEVAL_DEVICE static void issue(const MmaParams& p, std::uint32_t stage) {
    if constexpr (kTile.residual_fits_stage()) {
      if (!early(p)) return;
      const cuda::TilePosition tile = p.order.at(static_cast<int>(block_index().x));
      stage_residual<kTile, true>(p, tile.m * kTile.m, tile.n * kTile.n, stage);
    }
  }
  // Where it then lies.
  GPUEVAL_DEVICE static std::uint32_t stage(const MmaParams& p) {
    return early(p) ? static_cast<std::uint32_t>(p.steps % kTile.stages) * kTile.stage_bytes() : 0;
  }
};

// Offset of the stage behind this one.
template <cuda::MmaTile kTile>
GPUEVAL_DEVICE std::uint32_t next_stage(std::uint32_t stage) {
  constexpr std::uint32_t kLast = (kTile.stages - 1) * kTile.stage_bytes();
  return stage == kLast ? 0 : stage + kTile.stage_bytes();
}

// Steps of a block: all of the depth, or its part.
template <cuda::MmaTile kTile>
GPUEVAL_DEVICE int block_steps(const MmaParams& p) {
  const int begin = kTile.split_depth ? static_cast<int>(block_index().z) * p.part_steps : 0;
  const int left = p.steps - begin;
  return left < p.part_steps ? left : p.part_steps;
}

// One step after the other; fragments are loaded right before they are multiplied, and the other warps of the
// multiprocessor fill the gap. Fewest registers.
template <cuda::MmaTile kTile, typename Warp>
struct StepByStep {
  Warp& warp;
  std::uint32_t read = 0, write = (kTile.stages - 1) * kTile.stage_bytes();

  GPUEVAL_DEVICE explicit StepByStep(Warp& sums) : warp(sums) {}

  // refill(stage) begins the copies of a later step; nothing behind the steps is loaded.
  template <bool, typename Refill>
  GPUEVAL_DEVICE void run(int steps, const Refill& refill) {
    for (; steps > 0; --steps) {
      cp_async_wait<kTile.stages - 2>();
      block_barrier();
      GPUEVAL_UNROLL
      for (std::uint32_t part = 0; part < kTile.depth / 32; ++part) {
        typename Warp::Fragments f;
        warp.load(f, read, part);
        if (part == 0) {  // behind the loads, so that the tensor cores wait for nothing else
          refill(write);
          cp_async_commit();  // also an empty group: the wait counts groups
        }
        warp.multiply(f);
      }
      read = next_stage<kTile>(read);
      write = next_stage<kTile>(write);
    }
  }
};

// The same with the next fragments, at the end of a step those of the next stage, on their way while these are
// multiplied: for tiles whose warps have the registers and are too few to hide each other's loads.
template <cuda::MmaTile kTile, typename Warp>
struct StepsAhead {
  Warp& warp;
  std::uint32_t read = 0, write = (kTile.stages - 1) * kTile.stage_bytes();
  typename Warp::Fragments f[2];

  GPUEVAL_DEVICE explicit StepsAhead(Warp& sums) : warp(sums) {
    cp_async_wait<kTile.stages - 2>();
    block_barrier();
    warp.load(f[0], read, 0);
  }

  // kLast: the last of them is the last of the block.
  template <bool kLast, typename Refill>
  GPUEVAL_DEVICE void run(int steps, const Refill& refill) {
    constexpr std::uint32_t kParts = kTile.depth / 32;
    for (; steps > 0; --steps) {
      GPUEVAL_UNROLL
      for (std::uint32_t part = 0; part < kParts; ++part) {
        if (part + 1 < kParts) {
          warp.load(f[(part + 1) % 2], read, part + 1);
        }
        if (part == 0) {
          // Every warp has read the stage that this one overwrites: it was the last before the barrier.
          refill(write);
          cp_async_commit();
        }
        if (part + 1 == kParts) {
          cp_async_wait<kTile.stages - 2>();
          block_barrier();
          read = next_stage<kTile>(read);
          write = next_stage<kTile>(write);
          if (!kLast || steps > 1) warp.load(f[0], read, 0);
        }
        warp.multiply(f[part % 2]);
      }
    }
  }
};

// Most steps begin the copies of another one; before the last kTile.stages - 1 come those of the residual.
template <cuda::MmaTile kTile, typename Warp, typename Copies>
GPUEVAL_DEVICE void multiply_steps(const MmaParams& p, Warp& warp, Copies& copies) {
  constexpr int kAhead = kTile.stages - 1;
  std::conditional_t<kTile.prefetch, StepsAhead<kTile, Warp>, StepByStep<kTile, Warp>> loop(warp);
  loop.template run<false>(block_steps<kTile>(p) - kAhead, [&](std::uint32_t stage) { copies.issue(p, stage); });
  const int steps = block_steps<kTile>(p);
  if (steps >= kAhead && ResidualCopy<kTile>::early(p)) {
    block_barrier();  // the stage that it goes to was the last one read
    ResidualCopy<kTile>::issue(p, loop.write);
  }
  loop.template run<true>(steps < kAhead ? steps : kAhead, [](std::uint32_t) {});
}

// Row: static constexpr kName and kTile. (nvcc's host stubs take types, not values of class type.)
template <typename Row, bool kUnsigned, bool kPointwise>
GPUEVAL_KERNEL(Row::kTile.threads(), Row::kTile.blocks_of(kMultiprocessorShared))
conv_mma(const MmaParams p) {
  constexpr cuda::MmaTile kTile = Row::kTile;
  static_assert(kTile.valid(16, 16) && kTile.shared_bytes() <= 99 * 1024);
  let_next_kernel_begin();
  const int block = static_cast<int>(block_index().x);
  const cuda::TilePosition tile = p.order.at(block);
  const int row0 = tile.m * kTile.m, channel0 = tile.n * kTile.n;
  const int begin = kTile.split_depth ? static_cast<int>(block_index().z) * p.part_steps : 0;
  const int steps = block_steps<kTile>(p);

  StageCopies<kTile, kPointwise> copies(p, tile, begin);
  wait_for_previous_kernel();
  GPUEVAL_UNROLL
  for (int i = 0; i < kTile.stages - 1; ++i) {
    const std::uint32_t stage = static_cast<std::uint32_t>(i) * kTile.stage_bytes();
    if (i < steps) copies.issue(p, stage);
    if (i == steps) ResidualCopy<kTile>::issue(p, stage);
    cp_async_commit();
  }
  stage_scales<kTile>(p.epilogue, channel0);
  MmaWarp<kTile, kUnsigned> warp;
  multiply_steps<kTile>(p, warp, copies);
  cp_async_wait<0>();
  block_barrier();
  if constexpr (kTile.split_depth) {
    if (!join_parts<kTile>(p, warp, block)) return;
  }
  write_tile<kTile>(p, warp, row0, channel0, ResidualCopy<kTile>::stage(p), ResidualCopy<kTile>::early(p));
}

template <typename Row>
struct MmaRow : TileRow<Row> {
  static void launch(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int multiprocessors,
                     cuda::Stream stream) {
    constexpr MmaVariants kVariants = {{{conv_mma<Row, false, false>, conv_mma<Row, false, true>},
                                        {conv_mma<Row, true, false>, conv_mma<Row, true, true>}}};
    launch_mma(Row::kName, kVariants, Row::kTile, problem, args, multiprocessors, stream);
  }
  static constexpr cuda::ConvKernel kernel() { return tile_kernel<Row, MmaRow>(80, cuda::ConvFamily::kMma); }
};

}  // namespace gpueval::GPUEVAL_TARGET
