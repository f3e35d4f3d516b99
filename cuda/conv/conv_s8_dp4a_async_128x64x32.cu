// SPDX-License-Identifier: Apache-2.0
// Tiled implicit GEMM by dp4a with asynchronous copies (sm_80): the tile of conv_s8_dp4a_128x64x32, 128 threads of 8 x
// 8 outputs, but the operands go from global to shared memory without passing through registers.
//
// Three stages of 32 bytes of depth: while one is multiplied, the copies of the next two are under way, so a step may
// take as long as two of them before a thread waits. One barrier a step.
//
// Shared memory, per stage: chunks of 16 bytes, [2 of depth][128 rows] and [2 of depth][64 columns], each plane
// followed by 64 bytes of padding that put the two chunks of neighbouring threads 16 banks apart. A thread holds 8
// bytes of each of its 8 columns in registers and takes its rows one by one: 16 loads of 8 bytes for 128 dp4a (loads of
// 16 bytes would cost 16 more registers, and a fourth block of the multiprocessor). Its rows are 16 apart and its
// columns 8 apart, so that a warp's loads are of neighbouring chunks; to make four columns of a thread four
// neighbouring channels, for whole stores, column 8 * j + t holds channel 32 * (j / 4) + 4 * t + j % 4.
//
// Against conv_s8_dp4a_128x64x32: 12 registers and 12 shared stores a step less, and twice the latency hidden.
#include "cuda/conv/dp4a_tile.h"
#include "cuda/prim/cp_async.h"
#include "cuda/prim/previous_kernel.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

constexpr char kName[] = "conv_s8_dp4a_async_128x64x32";
constexpr Dp4aTile kTile{.rows = 128, .channels = 64, .thread_channels = 8};
constexpr int kStages = 3, kChunks = Dp4aTile::kChunks, kRows = Dp4aTile::kThreadRows, kChannels = 8;
constexpr int kLoadRows = kTile.threads() / kChunks;  // copied at once
constexpr int kRowLoads = kTile.row_loads();
constexpr std::uint32_t kPlanePad = 64;
constexpr std::uint32_t kRowPlane = kTile.rows * 16 + kPlanePad, kColumnPlane = kTile.channels * 16 + kPlanePad;
constexpr std::uint32_t kStageBytes = kChunks * (kRowPlane + kColumnPlane);
static_assert(kLoadRows == kTile.channels && kTile.across() == 8);

GPUEVAL_DEVICE std::uint32_t row_offset(int chunk, int row) {
  return static_cast<std::uint32_t>(chunk) * kRowPlane + static_cast<std::uint32_t>(row) * 16;
}
GPUEVAL_DEVICE std::uint32_t column_offset(int chunk, int column) {
  return kChunks * kRowPlane + static_cast<std::uint32_t>(chunk) * kColumnPlane +
         static_cast<std::uint32_t>(column) * 16;
}
// The channel, of the tile, in a column of shared memory.
GPUEVAL_DEVICE int channel_of(int column) {
  const int j = column / 8;
  return 32 * (j / 4) + 4 * (column % 8) + j % 4;
}

// What a thread copies: a fixed chunk of the depth of each step, of fixed rows and of one column.
struct Copier {
  int chunk, row;
  SourceRow rows[kRowLoads];
  DepthCursor cursor;
  int weights;  // chunks from the start of the packed weights

  GPUEVAL_DEVICE Copier(const Dp4aParams& p, int first_row, int first_channel) {
    const int thread = static_cast<int>(thread_index().x);
    chunk = thread % kChunks;
    row = thread / kChunks;
    GPUEVAL_UNROLL
    for (int i = 0; i < kRowLoads; ++i) rows[i] = source_row(p.shape, first_row + row + i * kLoadRows);
    cursor = depth_cursor(p.shape, chunk);
    weights = (first_channel + channel_of(row)) * p.steps * kChunks + chunk;
  }

  // Starts the next step's copies, one group.
  GPUEVAL_DEVICE void copy(const Dp4aParams& p, std::uint32_t stage) {
    GPUEVAL_UNROLL
    for (int i = 0; i < kRowLoads; ++i) {
      bool valid;
      const int from = source_chunk(p.shape, rows[i], cursor, &valid);
      cp_async_16(stage + row_offset(chunk, row + i * kLoadRows), chunk_address(p.src, from), valid);
    }
    cp_async_16(stage + column_offset(chunk, row), chunk_address(p.weights, weights), true);
    advance(p.shape, cursor, kChunks);
    weights += kChunks;
  }
};

template <bool kUnsigned>
GPUEVAL_DEVICE void multiply(std::uint32_t stage, int down, int across, int (&acc)[kRows][kChannels]) {
  GPUEVAL_NO_UNROLL
  for (int half = 0; half < 2 * kChunks; ++half) {
    const std::uint32_t from = stage + static_cast<std::uint32_t>(half % 2) * 8;
    Bytes8 b[kChannels];
    GPUEVAL_UNROLL
    for (int j = 0; j < kChannels; ++j) b[j] = shared_at<Bytes8>(from + column_offset(half / 2, across + 8 * j));
    GPUEVAL_UNROLL
    for (int i = 0; i < kRows; ++i) {
      const Bytes8 a = shared_at<Bytes8>(from + row_offset(half / 2, down + 16 * i));
      GPUEVAL_UNROLL
      for (int word = 0; word < 2; ++word) {
        GPUEVAL_UNROLL
        for (int j = 0; j < kChannels; ++j) acc[i][j] = dp4a<kUnsigned>(a.word[word], b[j].word[word], acc[i][j]);
      }
    }
  }
}

GPUEVAL_DEVICE std::uint32_t next_stage(std::uint32_t stage) {
  return stage == (kStages - 1) * kStageBytes ? 0 : stage + kStageBytes;
}

template <bool kUnsigned>
GPUEVAL_KERNEL(kTile.threads(), kTile.blocks())
conv_dp4a_async(const Dp4aParams p) {
  begin_behind_previous_kernel();
  const int block = static_cast<int>(block_index().x), thread = static_cast<int>(thread_index().x);
  const int first_row = block / p.channel_tiles * kTile.rows, first_channel = block % p.channel_tiles * kTile.channels;
  const int down = thread / 8, across = thread % 8;
  int acc[kRows][kChannels];
  GPUEVAL_UNROLL
  for (int i = 0; i < kRows; ++i) {
    GPUEVAL_UNROLL
    for (int j = 0; j < kChannels; ++j) acc[i][j] = 0;
  }
  Copier copier(p, first_row, first_channel);
  std::uint32_t stage = 0, target = 0;
  GPUEVAL_UNROLL
  for (int i = 0; i < kStages - 1; ++i) {
    if (i < p.steps) copier.copy(p, target);
    cp_async_commit();  // a group a step, even an empty one: the wait counts them
    target = next_stage(target);
  }
  for (int step = 0; step < p.steps; ++step) {
    cp_async_wait<kStages - 2>();
    block_barrier();  // this stage has arrived for all, and nobody reads any more the one that is filled next
    if (step + kStages - 1 < p.steps) copier.copy(p, target);
    cp_async_commit();
    target = next_stage(target);
    multiply<kUnsigned>(stage, down, across, acc);
    stage = next_stage(stage);
  }
  cp_async_wait<0>();

  const int channel = first_channel + across * 4;
  const QuadScale scale[2] = {quad_scale(p.epilogue, channel), quad_scale(p.epilogue, channel + 32)};
  GPUEVAL_UNROLL
  for (int i = 0; i < kRows; ++i) {
    const int row = first_row + down + 16 * i;
    if (row >= p.shape.rows) continue;
    const float dynamic = row_scale(p.epilogue, row);
    GPUEVAL_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int sums[4] = {acc[i][half * 4], acc[i][half * 4 + 1], acc[i][half * 4 + 2], acc[i][half * 4 + 3]};
      if (channel + half * 32 < p.shape.k) {
        store_quad(p.epilogue, row, channel + half * 32, scale[half], dynamic, sums);
      }
    }
  }
}

std::vector<std::int8_t> pack(const cuda::ConvProblem& problem, std::span<const std::int8_t> weights) {
  return cuda::pack_gemm(problem, weights, kTile.channels, Dp4aTile::kDepth);
}

void launch_async(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int, cuda::Stream stream) {
  const Dp4aParams params = dp4a_params(kTile, problem, args);
  launch_early(stream, kName, Grid{.x = dp4a_tiles(kTile, params)}, static_cast<unsigned>(kTile.threads()),
               kStages * kStageBytes, problem.src == DType::kU8 ? &conv_dp4a_async<true> : &conv_dp4a_async<false>,
               params);
}

}  // namespace

extern const cuda::ConvKernel conv_s8_dp4a_async_128x64x32 = {
    .name = kName,
    .op = cuda::ConvOp::kConv,
    .min_sm = 80,
    .family = cuda::ConvFamily::kDp4a,
    .tile = {.pixels = kTile.rows, .channels = kTile.channels, .depth = kTile.kDepth},
    .supports = dp4a_supports,
    .pack = pack,
    .workspace = cuda::no_workspace,
    .launch = launch_async};

}  // namespace gpueval::GPUEVAL_TARGET
