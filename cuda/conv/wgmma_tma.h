// SPDX-License-Identifier: Apache-2.0
// Convolution by wgmma (wgmma_gemm.h) whose operands come by the tensor memory accelerator: tiles, stages, packed
// weights, products and output are the same.
//
// A warp more than the tile has, the producer, brings in the stages, by one thread: the source rows as a box of a
// tensor map, swizzled and padded with zeros on the way, the weights as one unbroken copy. Two mbarriers a stage say
// "full" (all bytes have come) and "empty" (each warp's products have read it), in place of a barrier of all threads a
// step. The producer waits for nothing but empty stages, so it is up to all of them ahead, over the ends of tiles: the
// first operands of the next are there when the last one is written.
//
// Products of one step run on while those of the next begin, and release their stage then. Scales, residual and output
// are as in wgmma_gemm.h, by the threads that multiply: their barriers leave the producer out.
//
// Why it could beat wgmma_gemm.h: no thread that multiplies computes an address or starts a copy (8 cp.async and two
// dozen other instructions a step there), and no fence of the asynchronous proxy, nor a barrier, is in the main loop.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "cuda/conv/tma_plan.h"
#include "cuda/conv/wgmma_gemm.h"
#include "cuda/prim/mbarrier.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/tma.h"

namespace gpueval::GPUEVAL_TARGET {

struct TmaParams {
  MmaParams mma;
  cuda::TensorMap source;
};

// A place in the ring of stages.
template <cuda::MmaTile kTile>
struct StageRing {
  std::uint32_t stage = 0, parity = 0;  // of the round

  GPUEVAL_DEVICE void advance() {
    if (++stage < static_cast<std::uint32_t>(kTile.stages)) return;
    stage = 0;
    parity ^= 1;
  }
  GPUEVAL_DEVICE std::uint32_t offset() const { return stage * kTile.stage_bytes(); }
  GPUEVAL_DEVICE std::uint32_t full() const { return kTile.mbarrier_offset() + stage * 16; }
  GPUEVAL_DEVICE std::uint32_t empty() const { return full() + 8; }
};

template <cuda::MmaTile kTile>
GPUEVAL_DEVICE void make_stage_barriers() {
  if (thread_index().x == 0) {
    StageRing<kTile> ring;
    GPUEVAL_UNROLL
    for (int i = 0; i < kTile.stages; ++i) {
      mbarrier_init(ring.full(), 1);
      mbarrier_init(ring.empty(), kTile.threads() / 32);
      ring.advance();
    }
    mbarrier_init_fence();
  }
  block_barrier();
}

// Where the source rows of a tile's steps lie.
template <cuda::MmaTile kTile, bool kPointwise>
struct SourceBox {
  int channel = 0;
  [[maybe_unused]] int row, left, top, image, s = 0, r = 0;

  GPUEVAL_DEVICE SourceBox(const MmaParams& p, int m_tile) : row(m_tile * kTile.m) {
    if constexpr (!kPointwise) {
      image = p.image_pixels.quotient(row);
      const int inside = p.image_pixels.remainder(row, image), line = p.line_pixels.quotient(inside);
      top = line * p.stride_h - p.pad_top;
      left = p.line_pixels.remainder(inside, line) * p.stride_w - p.pad_left;
    }
  }
  GPUEVAL_DEVICE void copy(const TmaParams& p, std::uint32_t to, std::uint32_t barrier) const {
    if constexpr (kPointwise) {
      tma_copy_tile(to, p.source, row, channel, barrier);
    } else {
      tma_copy_pixels(to, p.source, channel, left, top, image, s, r, barrier);
    }
  }
  GPUEVAL_DEVICE void advance(const MmaParams& p) {
    channel += kTile.depth;
    if constexpr (!kPointwise) {
      if (channel < p.chunks * 16) return;
      channel = 0;
      if (++s < p.kernel_w) return;
      s = 0;
      ++r;
    }
  }
};

// The operands of all steps of all tiles of the block, by one thread.
template <cuda::MmaTile kTile, bool kPointwise>
GPUEVAL_DEVICE void produce(const TmaParams& p) {
  StageRing<kTile> ring;
  GPUEVAL_NO_UNROLL
  for (int at = static_cast<int>(block_index().x); at < p.mma.tiles; at += static_cast<int>(grid_size().x)) {
    const cuda::TilePosition tile = p.mma.order.at(at);
    SourceBox<kTile, kPointwise> source(p.mma, tile.m);
    const std::uint8_t* weights =
        p.mma.weights + static_cast<std::int64_t>(tile.n) * p.mma.steps * kTile.weight_bytes();
    GPUEVAL_NO_UNROLL
    for (int step = 0; step < p.mma.steps; ++step) {
      mbarrier_wait(ring.empty(), ring.parity ^ 1);
      mbarrier_arrive_expect(ring.full(), kTile.stage_bytes());
      source.copy(p, ring.offset(), ring.full());
      tma_copy(ring.offset() + kTile.source_bytes(), weights, kTile.weight_bytes(), ring.full());
      source.advance(p.mma);
      weights += kTile.weight_bytes();
      ring.advance();
    }
  }
}

// The warp's products have read the stage.
template <cuda::MmaTile kTile>
GPUEVAL_DEVICE void release(StageRing<kTile>& ring) {
  if (thread_index().x % 32 == 0) mbarrier_arrive(ring.empty());
  ring.advance();
}

// A tile's sums. ring: the next stage that fills, and the next one to be released.
template <cuda::MmaTile kTile, typename Sums>
GPUEVAL_DEVICE void multiply_stages(int steps, Sums& sums, StageRing<kTile>& ring) {
  StageRing<kTile> behind = ring;
  GPUEVAL_NO_UNROLL
  for (int step = 0; step < steps; ++step) {
    mbarrier_wait(ring.full(), ring.parity);
    sums.multiply(ring.offset());
    ring.advance();
    wgmma_wait<1>();
    if (step > 0) release(behind);
  }
  sums.finish();
  release(behind);
}

template <typename Row, bool kUnsigned>
GPUEVAL_DEVICE void consume(const MmaParams& p) {
  constexpr cuda::MmaTile kTile = Row::kTile;
  StageRing<kTile> ring;
  GPUEVAL_NO_UNROLL
  for (int at = static_cast<int>(block_index().x);;) {
    const cuda::TilePosition tile = p.order.at(at);
    const int row0 = tile.m * kTile.m, channel0 = tile.n * kTile.n;
    stage_scales<kTile>(p.epilogue, channel0);
    if (p.epilogue.residual != nullptr) stage_residual<kTile, true>(p, row0, channel0, kTile.output_begin());
    cp_async_commit();
    Warpgroup<kTile, kUnsigned> sums;
    multiply_stages<kTile>(p.steps, sums, ring);
    cp_async_wait<0>();
    part_barrier(kTile.threads());  // scales and residual are there
    write_tile<kTile>(p, sums, row0, channel0, kTile.output_begin(), true);
    at += static_cast<int>(grid_size().x);
    if (at >= p.tiles) return;
    part_barrier(kTile.threads());  // before scales and output tile are overwritten
  }
}

template <typename Row, bool kUnsigned, bool kPointwise>
GPUEVAL_KERNEL(Row::kTile.block_threads(), Row::kTile.blocks)
conv_wgmma_tma(GPUEVAL_GRID_CONSTANT const TmaParams p) {
  constexpr cuda::MmaTile kTile = Row::kTile;
  static_assert(kTile.valid(16, 16) && kTile.shared_bytes() <= 227 * 1024 && kTile.persistent && kTile.producer);
  static_assert(kTile.depth == 128 && kTile.m % 64 == 0 && kTile.warp_m() == 16 && kTile.warps_n == 1);
  static_assert(kTile.m <= 256 && !kTile.split_depth);
  let_next_kernel_begin();
  make_stage_barriers<kTile>();
  wait_for_previous_kernel();
  if (thread_index().x < static_cast<unsigned>(kTile.threads())) {
    consume<Row, kUnsigned>(p.mma);
  } else if (thread_index().x == static_cast<unsigned>(kTile.threads())) {
    produce<kTile, kPointwise>(p);
  }
}

template <typename Row>
struct WgmmaTmaRow : TileRow<Row> {
  static bool supports(const cuda::ConvProblem& problem) { return cuda::tma_supports(problem, Row::kTile); }
  static std::vector<std::int8_t> pack(const cuda::ConvProblem& problem, std::span<const std::int8_t> weights) {
    return cuda::pack_tma(problem, weights, Row::kTile);
  }
  static void launch(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int multiprocessors,
                     cuda::Stream stream) {
    constexpr cuda::MmaTile kTile = Row::kTile;
    constexpr void (*kKernels[2][2])(TmaParams) = {
        {conv_wgmma_tma<Row, false, false>, conv_wgmma_tma<Row, false, true>},
        {conv_wgmma_tma<Row, true, false>, conv_wgmma_tma<Row, true, true>}};
    const TmaParams params{make_mma_params(cuda::whole_tap_steps(problem), args, kTile, 1),
                           make_tensor_map(Row::kName, cuda::source_map(problem, args.src, args.n, kTile))};
    const auto blocks = static_cast<unsigned>(std::min(params.mma.tiles, multiprocessors * kTile.blocks));
    const auto kernel = kKernels[problem.src == DType::kU8 ? 1 : 0][cuda::mma_pointwise(problem) ? 1 : 0];
    launch_early(stream, Row::kName, {.x = blocks}, static_cast<unsigned>(kTile.block_threads()), kTile.shared_bytes(),
                 kernel, params);
  }
  static constexpr cuda::ConvKernel kernel() {
    return tile_kernel<Row, WgmmaTmaRow>(90, cuda::ConvFamily::kWgmma, kWgmmaSm);
  }
};

}  // namespace gpueval::GPUEVAL_TARGET
