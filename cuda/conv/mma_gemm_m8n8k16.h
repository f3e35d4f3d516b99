// SPDX-License-Identifier: Apache-2.0
// Convolution by mma m8n8k16, for sm_75, which has neither m16n8k32 nor asynchronous copies. Tiles, operands, swizzle
// and output are those of mma_gemm.h; what differs:
//
// Copies: two stages. While one is multiplied, the next step's operands travel through registers: loaded from global
// memory before the products, stored to the other stage behind them, so that the products hide the latency. One barrier
// a step.
//
// Fragments: ldmatrix brings 32 rows x 16 bytes, four fragments of 8 rows; a warp's share is a multiple of 32 x 32.
//
// Why it beats conv_s8_dp4a there: an instruction of a warp does 1024 products, where dp4a does 128.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cuda/conv/conv_kernel.h"
#include "cuda/conv/mma_operands.h"
#include "cuda/conv/mma_output.h"
#include "cuda/conv/mma_params.h"
#include "cuda/conv/mma_plan.h"
#include "cuda/conv/mma_tile.h"
#include "cuda/prim/keep.h"
#include "cuda/prim/ldmatrix.h"
#include "cuda/prim/mma.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/target.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/vector.h"

namespace gpueval::GPUEVAL_TARGET {

// A warp's sums, and where it finds its operands in a stage.
template <cuda::MmaTile kTile, bool kUnsigned>
struct NarrowMmaWarp {
  static constexpr int kRows = kTile.warp_m() / 8, kColumns = kTile.warp_n() / 8;

  int acc[kRows][kColumns][2];
  // Of the lane's first row in the first stage, at the first 16 bytes of depth; the next 16 differ in higher bits.
  SharedAddress source_at, weight_at;

  GPUEVAL_DEVICE NarrowMmaWarp() {
    const std::uint32_t warp = thread_index().x / 32;
    const cuda::LaneChunk lane = cuda::narrow_lane(thread_index().x % 32);
    constexpr std::uint32_t kWarpsN = kTile.warps_n;
    const std::uint32_t first_chunk = cuda::swizzled_chunk(lane.row, lane.chunk, kTile.chunks()) * 16;
    source_at = SharedAddress((warp / kWarpsN * kTile.warp_m() + lane.row) * kTile.depth + first_chunk);
    weight_at =
        SharedAddress(kTile.source_bytes() + (warp % kWarpsN * kTile.warp_n() + lane.row) * kTile.depth + first_chunk);
    keep_in_register(source_at.value);
    keep_in_register(weight_at.value);
    GPUEVAL_UNROLL
    for (int i = 0; i < kRows; ++i) {
      GPUEVAL_UNROLL
      for (int j = 0; j < kColumns; ++j) acc[i][j][0] = acc[i][j][1] = 0;
    }
  }

  GPUEVAL_DEVICE const int& at(int i, int j, int e) const { return acc[i][j][e]; }

  GPUEVAL_DEVICE void multiply(std::uint32_t stage) {
    GPUEVAL_UNROLL
    for (std::uint32_t chunk = 0; chunk < kTile.chunks(); ++chunk) {
      std::uint32_t source[kRows / 4][4], weights[kColumns / 4][4];
      SharedAddress source_from = source_at, weights_from = weight_at;
      source_from.value ^= chunk * 16;
      weights_from.value ^= chunk * 16;
      GPUEVAL_UNROLL
      for (int i = 0; i < kRows / 4; ++i) {
        ldmatrix_x4(source[i], source_from + stage + static_cast<std::uint32_t>(i * 32 * kTile.depth));
      }
      GPUEVAL_UNROLL
      for (int j = 0; j < kColumns / 4; ++j) {
        ldmatrix_x4(weights[j], weights_from + stage + static_cast<std::uint32_t>(j * 32 * kTile.depth));
      }
      GPUEVAL_UNROLL
      for (int i = 0; i < kRows; ++i) {
        GPUEVAL_UNROLL
        for (int j = 0; j < kColumns; ++j) {
          mma_m8n8k16<kUnsigned>(acc[i][j], source[i / 4][i % 4], weights[j / 4][j % 4]);
        }
      }
    }
  }
};

// One thread's part of a step, on its way from global to shared memory.
template <cuda::MmaTile kTile, bool kPointwise>
struct StagedCopies {
  SourceReader<kTile, kPointwise> source;
  const std::uint8_t* weights;
  std::uint32_t slot;
  Bytes16 source_bytes[kTile.source_copies()], weight_bytes[kTile.weight_copies()];

  GPUEVAL_DEVICE StagedCopies(const MmaParams& p, cuda::TilePosition tile)
      : source(p, tile.m, 0), weights(weight_stream<kTile>(p, tile.n, 0)), slot(source_slot<kTile>()) {
    if constexpr (!kPointwise) keep_in_register(source.base);  // there it would cost more than it saves
  }

  GPUEVAL_DEVICE void load(const MmaParams& p) {
    GPUEVAL_UNROLL
    for (int i = 0; i < kTile.source_copies(); ++i) {
      source_bytes[i] = source.inside(p, i) ? load_global<Bytes16>(source.address(i)) : Bytes16{};
    }
    GPUEVAL_UNROLL
    for (int i = 0; i < kTile.weight_copies(); ++i) {
      weight_bytes[i] = load_global<Bytes16>(weights + i * kTile.threads() * 16);
    }
    source.advance(p);
    weights += kTile.weight_bytes();
  }

  GPUEVAL_DEVICE void store(std::uint32_t stage) const {
    GPUEVAL_UNROLL
    for (int i = 0; i < kTile.source_copies(); ++i) {
      shared_at<Bytes16>(stage + slot + static_cast<std::uint32_t>(i * kTile.row_step() * kTile.depth)) =
          source_bytes[i];
    }
    GPUEVAL_UNROLL
    for (int i = 0; i < kTile.weight_copies(); ++i) {
      const std::uint32_t at = (thread_index().x + static_cast<std::uint32_t>(i * kTile.threads())) * 16;
      shared_at<Bytes16>(stage + kTile.source_bytes() + at) = weight_bytes[i];
    }
  }
};

// From sm_100 on ptxas makes the wide instruction of the narrow one and needs more registers for it.
template <typename Row>
inline constexpr int kNarrowBlocks = GPUEVAL_HAS_SM(100) ? 2 : Row::kTile.blocks;

template <typename Row, bool kUnsigned, bool kPointwise>
GPUEVAL_KERNEL(Row::kTile.threads(), kNarrowBlocks<Row>)
conv_mma_m8n8k16(const MmaParams p) {
  constexpr cuda::MmaTile kTile = Row::kTile;
  static_assert(kTile.valid(32, 32) && kTile.n % kTile.row_step() == 0 && kTile.stages == 2 && !kTile.split_depth &&
                kTile.shared_bytes() <= 64 * 1024);
  let_next_kernel_begin();
  const cuda::TilePosition tile = p.order.at(static_cast<int>(block_index().x));
  StagedCopies<kTile, kPointwise> copies(p, tile);
  wait_for_previous_kernel();
  copies.load(p);
  stage_scales<kTile>(p.epilogue, tile.n * kTile.n);
  NarrowMmaWarp<kTile, kUnsigned> warp;
  copies.store(0);
  block_barrier();
  for (int step = 0; step < p.steps; ++step) {
    const std::uint32_t read = step % 2 == 0 ? 0 : kTile.stage_bytes(), write = kTile.stage_bytes() - read;
    const bool more = step + 1 < p.steps;
    if (more) copies.load(p);
    warp.multiply(read);
    if (more) copies.store(write);
    block_barrier();
  }
  write_tile<kTile>(p, warp, tile.m * kTile.m, tile.n * kTile.n);
}

// Row: static constexpr kName and kTile.
template <typename Row>
struct NarrowMmaRow : TileRow<Row> {
  static void launch(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int multiprocessors,
                     cuda::Stream stream) {
    constexpr MmaVariants kVariants = {{{conv_mma_m8n8k16<Row, false, false>, conv_mma_m8n8k16<Row, false, true>},
                                        {conv_mma_m8n8k16<Row, true, false>, conv_mma_m8n8k16<Row, true, true>}}};
    launch_mma(Row::kName, kVariants, Row::kTile, problem, args, multiprocessors, stream);
  }
  static constexpr cuda::ConvKernel kernel() {
    return tile_kernel<Row, NarrowMmaRow>(75, cuda::ConvFamily::kMmaM8N8K16);
  }
};

}  // namespace gpueval::GPUEVAL_TARGET
