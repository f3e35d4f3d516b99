// SPDX-License-Identifier: Apache-2.0
// Split-depth convolution by dp4a, for small maps at small batch: 7x7x512 are 8 tiles, which leave a large device idle.
// The tiles are those of conv_s8_dp4a_64x64x32 (tiling and shared-memory map: dp4a_tile.h), but the depth of each is
// cut over grid.z (split.h). Each block adds its sums to the workspace by atomic additions, thread by thread at
// neighbouring addresses, and counts itself; the last one of a tile reads the whole sums back, leaves sums and counter
// zero for the next call, and runs the epilogue. Integer sums do not depend on the order of the blocks, so the bits
// stay exact.
#include "cuda/conv/dp4a_tile.h"
#include "cuda/conv/last_arrival.h"
#include "cuda/conv/split.h"
#include "cuda/prim/atomic.h"
#include "cuda/prim/previous_kernel.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr char kName[] = "conv_s8_dp4a_split";
constexpr Dp4aTile kTile{.rows = 64, .channels = 64, .thread_channels = 4};

struct SplitParams {
  Dp4aParams gemm;
  int splits;
  int* arrived;  // a counter for each tile
  int* sums;     // [tile][output of a thread][thread]
};

// False in all blocks of a tile but the last one to arrive, which receives the whole sums.
template <bool kUnsigned>
GPUEVAL_DEVICE bool gather(const SplitParams& p, Dp4aBlock<kTile, kUnsigned>& block) {
  using Block = Dp4aBlock<kTile, kUnsigned>;
  const auto tile = static_cast<std::int64_t>(block_index().x);
  const int thread = static_cast<int>(thread_index().x);
  int* const sums = p.sums + tile * (kTile.rows * kTile.channels) + thread;
  GPUEVAL_UNROLL
  for (int i = 0; i < Block::kRows; ++i) {
    GPUEVAL_UNROLL
    for (int j = 0; j < Block::kChannels; ++j) {
      reduce_add(sums + (i * Block::kChannels + j) * kTile.threads(), block.acc[i][j]);
    }
  }
  if (!last_arrival(p.arrived + tile, p.splits)) return false;
  GPUEVAL_UNROLL
  for (int i = 0; i < Block::kRows; ++i) {
    GPUEVAL_UNROLL
    for (int j = 0; j < Block::kChannels; ++j) {
      int* const sum = sums + (i * Block::kChannels + j) * kTile.threads();
      block.acc[i][j] = load_volatile(sum);
      *sum = 0;
    }
  }
  if (thread == 0) p.arrived[tile] = 0;
  return true;
}

template <bool kUnsigned>
GPUEVAL_KERNEL(kTile.threads(), kTile.blocks())
conv_dp4a_split(const SplitParams p) {
  begin_behind_previous_kernel();
  const int part = static_cast<int>(block_index().z);
  const int begin = cuda::split_begin(part, p.gemm.steps, p.splits);
  Dp4aBlock<kTile, kUnsigned> block(p.gemm, begin);
  block.accumulate(cuda::split_begin(part + 1, p.gemm.steps, p.splits) - begin);
  if (p.splits > 1 && !gather(p, block)) return;
  block.store();
}

std::int64_t planned_tiles(const cuda::ConvProblem& problem) {
  const auto rows = (problem.desc.output_pixels() + kTile.rows - 1) / kTile.rows;
  return rows * (cuda::round_up(problem.desc.k, kTile.channels) / kTile.channels);
}

// Less depth than two parts need has nothing to split.
bool supports(const cuda::ConvProblem& problem) {
  return dp4a_supports(problem) && dp4a_steps(problem) >= 2 * cuda::kLeastSplitSteps;
}

std::vector<std::int8_t> pack(const cuda::ConvProblem& problem, std::span<const std::int8_t> weights) {
  return cuda::pack_gemm(problem, weights, kTile.channels, Dp4aTile::kDepth);
}

std::size_t workspace(const cuda::ConvProblem& problem, int multiprocessors) {
  const std::int64_t tiles = planned_tiles(problem);
  const int splits = cuda::split_count(tiles, dp4a_steps(problem), multiprocessors);
  return cuda::split_workspace(tiles, kTile.rows * kTile.channels, splits);
}

void launch_split(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int multiprocessors,
                  cuda::Stream stream) {
  const std::int64_t tiles = planned_tiles(problem);
  const int splits = cuda::split_count(tiles, dp4a_steps(problem), multiprocessors);
  int* const counters = static_cast<int*>(args.workspace);
  const SplitParams params{.gemm = dp4a_params(kTile, problem, args),
                           .splits = splits,
                           .arrived = counters,
                           .sums = counters == nullptr ? nullptr : counters + tiles};
  const Grid grid{.x = dp4a_tiles(kTile, params.gemm), .y = 1, .z = static_cast<unsigned>(splits)};
  launch_early(stream, kName, grid, static_cast<unsigned>(kTile.threads()), kTile.shared_bytes(),
               problem.src == DType::kU8 ? &conv_dp4a_split<true> : &conv_dp4a_split<false>, params);
}

}  // namespace

extern const cuda::ConvKernel conv_s8_dp4a_split = {
    .name = kName,
    .op = cuda::ConvOp::kConv,
    .min_sm = 75,
    .family = cuda::ConvFamily::kDp4a,
    .tile = {.pixels = kTile.rows, .channels = kTile.channels, .depth = kTile.kDepth, .split_depth = true},
    .supports = supports,
    .pack = pack,
    .workspace = workspace,
    .launch = launch_split};

}  // namespace gpueval::GPUEVAL_TARGET
