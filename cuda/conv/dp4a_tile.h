// SPDX-License-Identifier: Apache-2.0
// Tiled implicit GEMM by dp4a (sm_75), the body of conv_s8_dp4a_<rows>x<channels>x32 and of the split-depth kernel.
//
// Tiling: a block computes rows x channels outputs, a thread 8 rows x 4 or 8 channels, in steps of 32 bytes of depth.
// Per step a thread copies one or two 16-byte chunks of the source and at most one of the weights: it loads the next
// step's into registers, multiplies the present step out of shared memory, and then stores what it loaded into the
// other of two buffers, so that one barrier a step is enough and global latency hides behind 8 * 8 * 8 dp4a.
//
// Shared memory, twice: source words [8 of depth][rows + 4], then weight words [8 of depth][channels + 4]. A thread
// reads 4 neighbouring rows or channels by one 16-byte load: 16 or 12 words for 64 or 32 dp4a. The padding of 4 words
// puts the two chunks that neighbouring threads store 16 banks apart: no bank conflicts on either side.
//
// Against conv_s8_naive every byte from global memory is used `channels` or `rows` times.
#pragma once

#include "cuda/conv/epilogue.h"
#include "cuda/conv/implicit_gemm.h"
#include "cuda/conv/pack.h"
#include "cuda/prim/dp4a.h"
#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/vector.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {

struct Dp4aTile {
  int rows, channels;   // of a block
  int thread_channels;  // 4 or 8, with 8 rows each
  static constexpr int kDepth = 32, kChunks = kDepth / 16, kWords = kDepth / 4, kThreadRows = 8;

  // Blocks that a multiprocessor should have registers for.
  constexpr int blocks() const { return thread_channels == 8 ? 4 : 5; }
  constexpr int across() const { return channels / thread_channels; }  // threads
  constexpr int threads() const { return rows / kThreadRows * across(); }
  constexpr int row_loads() const { return rows * kChunks / threads(); }
  constexpr std::uint32_t rows_stride() const { return static_cast<std::uint32_t>(rows + 4) * 4; }  // bytes
  constexpr std::uint32_t channels_stride() const { return static_cast<std::uint32_t>(channels + 4) * 4; }
  constexpr std::uint32_t weights_offset() const { return kWords * rows_stride(); }
  constexpr std::uint32_t buffer_bytes() const { return weights_offset() + kWords * channels_stride(); }
  constexpr std::uint32_t shared_bytes() const { return 2 * buffer_bytes(); }
};

struct Dp4aParams {
  GemmShape shape;
  const std::uint8_t* src;
  const std::int8_t* weights;  // pack_gemm(channels, kDepth)
  int steps;                   // of the whole depth
  int channel_tiles;
  Epilogue epilogue;
};

inline int dp4a_steps(const cuda::ConvProblem& problem) {
  const Window& window = problem.desc.window;
  const int chunks = window.kernel_h * window.kernel_w * (cuda::round_up(problem.desc.c, 16) / 16);
  return cuda::round_up(chunks, Dp4aTile::kChunks) / Dp4aTile::kChunks;
}

inline Dp4aParams dp4a_params(const Dp4aTile& tile, const cuda::ConvProblem& problem, const cuda::ConvArgs& args) {
  const int steps = dp4a_steps(problem);
  return {.shape = gemm_shape(problem, args.n),
          .src = static_cast<const std::uint8_t*>(args.src),
          .weights = static_cast<const std::int8_t*>(args.weights),
          .steps = steps,
          .channel_tiles = cuda::round_up(problem.desc.k, tile.channels) / tile.channels,
          .epilogue = make_epilogue(problem, args)};
}

// One grid.x for all tiles, channels fastest: blocks that run together read the same source rows.
inline unsigned dp4a_tiles(const Dp4aTile& tile, const Dp4aParams& params) {
  return static_cast<unsigned>(cuda::round_up(params.shape.rows, tile.rows) / tile.rows) *
         static_cast<unsigned>(params.channel_tiles);
}

// One tile, over steps [first_step, last_step), first_step < last_step.
template <Dp4aTile kTile, bool kUnsigned>
struct Dp4aBlock {
  static constexpr int kRowLoads = kTile.row_loads(), kRows = Dp4aTile::kThreadRows;
  static constexpr int kChannels = kTile.thread_channels;
  static constexpr int kRowsApart = kTile.threads() / Dp4aTile::kChunks;  // of a thread's loads
  static_assert(kTile.rows * Dp4aTile::kChunks % kTile.threads() == 0 && kRowsApart >= kTile.channels);

  const Dp4aParams& p;
  int first_row, first_channel;  // of the tile
  int column;                    // which chunk of a step this thread copies
  int load_row;                  // and of which row and channel
  SourceRow rows[kRowLoads];
  DepthCursor cursor;
  int weights;                                 // chunks from the start of the packed weights
  Bytes16 row_chunk[kRowLoads], weight_chunk;  // the next step's
  int acc[kRows][kChannels];

  GPUEVAL_DEVICE Dp4aBlock(const Dp4aParams& params, int first_step) : p(params) {
    const int thread = static_cast<int>(thread_index().x), block = static_cast<int>(block_index().x);
    first_row = block / p.channel_tiles * kTile.rows;
    first_channel = block % p.channel_tiles * kTile.channels;
    column = thread % Dp4aTile::kChunks;
    load_row = thread / Dp4aTile::kChunks;
    GPUEVAL_UNROLL
    for (int i = 0; i < kRowLoads; ++i) rows[i] = source_row(p.shape, first_row + load_row + i * kRowsApart);
    cursor = depth_cursor(p.shape, first_step * Dp4aTile::kChunks + column);
    weights = (first_channel + load_row) * p.steps * Dp4aTile::kChunks + first_step * Dp4aTile::kChunks + column;
    GPUEVAL_UNROLL
    for (int i = 0; i < kRows; ++i) {
      GPUEVAL_UNROLL
      for (int j = 0; j < kChannels; ++j) acc[i][j] = 0;
    }
  }

  GPUEVAL_DEVICE bool loads_weights() const { return kRowsApart == kTile.channels || load_row < kTile.channels; }

  // The step under the cursor into registers.
  GPUEVAL_DEVICE void fetch() {
    GPUEVAL_UNROLL
    for (int i = 0; i < kRowLoads; ++i) {
      bool valid;
      const int chunk = source_chunk(p.shape, rows[i], cursor, &valid);
      row_chunk[i] = valid ? load_global<Bytes16>(chunk_address(p.src, chunk)) : Bytes16{};
    }
    if (loads_weights()) weight_chunk = load_global<Bytes16>(chunk_address(p.weights, weights));
    advance(p.shape, cursor, Dp4aTile::kChunks);
    weights += Dp4aTile::kChunks;
  }

  // Registers into a buffer, a chunk as four words of consecutive depth.
  GPUEVAL_DEVICE void put(std::uint32_t buffer) const {
    const auto word = static_cast<std::uint32_t>(column * 4), row = static_cast<std::uint32_t>(load_row) * 4;
    GPUEVAL_UNROLL
    for (std::uint32_t j = 0; j < 4; ++j) {
      GPUEVAL_UNROLL
      for (int i = 0; i < kRowLoads; ++i) {
        shared_at<std::uint32_t>(buffer + (word + j) * kTile.rows_stride() + row +
                                 static_cast<std::uint32_t>(i * kRowsApart) * 4) = row_chunk[i].word[j];
      }
      if (loads_weights()) {
        shared_at<std::uint32_t>(buffer + kTile.weights_offset() + (word + j) * kTile.channels_stride() + row) =
            weight_chunk.word[j];
      }
    }
  }

  // A thread's rows are 4 in either half of the tile, its channels 4 in either half or 4 in all.
  GPUEVAL_DEVICE int quad_row(int half) const {
    return half * (kTile.rows / 2) + static_cast<int>(thread_index().x) / kTile.across() * 4;
  }
  GPUEVAL_DEVICE int quad_channel(int half) const {
    return half * (kTile.channels / 2) + static_cast<int>(thread_index().x) % kTile.across() * 4;
  }

  GPUEVAL_DEVICE void multiply(std::uint32_t buffer) {
    GPUEVAL_UNROLL
    for (std::uint32_t word = 0; word < Dp4aTile::kWords; ++word) {
      std::uint32_t a[kRows], b[kChannels];
      GPUEVAL_UNROLL
      for (int half = 0; half < kRows / 4; ++half) {
        const Bytes16 quad =
            shared_at<Bytes16>(buffer + word * kTile.rows_stride() + static_cast<std::uint32_t>(quad_row(half)) * 4);
        GPUEVAL_UNROLL
        for (int i = 0; i < 4; ++i) a[half * 4 + i] = quad.word[i];
      }
      GPUEVAL_UNROLL
      for (int half = 0; half < kChannels / 4; ++half) {
        const Bytes16 quad = shared_at<Bytes16>(buffer + kTile.weights_offset() + word * kTile.channels_stride() +
                                                static_cast<std::uint32_t>(quad_channel(half)) * 4);
        GPUEVAL_UNROLL
        for (int j = 0; j < 4; ++j) b[half * 4 + j] = quad.word[j];
      }
      GPUEVAL_UNROLL
      for (int i = 0; i < kRows; ++i) {
        GPUEVAL_UNROLL
        for (int j = 0; j < kChannels; ++j) acc[i][j] = dp4a<kUnsigned>(a[i], b[j], acc[i][j]);
      }
    }
  }

  GPUEVAL_DEVICE void accumulate(int steps) {
    fetch();
    put(0);
    block_barrier();
    std::uint32_t buffer = 0;
    for (int step = 1;; ++step) {
      const bool more = step < steps;
      if (more) fetch();
      multiply(buffer);
      if (!more) break;
      buffer = kTile.buffer_bytes() - buffer;
      put(buffer);
      block_barrier();
    }
  }

  GPUEVAL_DEVICE void store() const {
    QuadScale scale[kChannels / 4];
    GPUEVAL_UNROLL
    for (int quad = 0; quad < kChannels / 4; ++quad) {
      scale[quad] = quad_scale(p.epilogue, first_channel + quad_channel(quad));
    }
    GPUEVAL_UNROLL
    for (int i = 0; i < kRows; ++i) {
      const int row = first_row + quad_row(i / 4) + i % 4;
      if (row >= p.shape.rows) continue;
      const float dynamic = row_scale(p.epilogue, row);
      GPUEVAL_UNROLL
      for (int quad = 0; quad < kChannels / 4; ++quad) {
        const int channel = first_channel + quad_channel(quad);
        const int sums[4] = {acc[i][quad * 4], acc[i][quad * 4 + 1], acc[i][quad * 4 + 2], acc[i][quad * 4 + 3]};
        if (channel < p.shape.k) store_quad(p.epilogue, row, channel, scale[quad], dynamic, sums);
      }
    }
  }
};

// Tile: a type with a constexpr Dp4aTile kTile; nvcc takes no structs as template arguments of kernels.
template <typename Tile, bool kUnsigned>
GPUEVAL_KERNEL(Tile::kTile.threads(), Tile::kTile.blocks())
conv_dp4a(const Dp4aParams p) {
  begin_behind_previous_kernel();
  Dp4aBlock<Tile::kTile, kUnsigned> block(p, 0);
  block.accumulate(p.steps);
  block.store();
}

// ---- host: the row of a tile

// Rows, pixels and chunks are counted in 32 bits.
inline bool dp4a_supports(const cuda::ConvProblem& problem) {
  constexpr std::int64_t kLimit = 1 << 30;
  const ConvDesc& d = problem.desc;
  return !d.depthwise && problem.src_pitch % 16 == 0 && d.output_pixels() <= kLimit &&
         std::int64_t{d.n} * d.h * d.w * (problem.src_pitch / 16) <= kLimit;
}

template <typename Tile>
std::vector<std::int8_t> dp4a_pack(const cuda::ConvProblem& problem, std::span<const std::int8_t> weights) {
  return cuda::pack_gemm(problem, weights, Tile::kTile.channels, Dp4aTile::kDepth);
}

template <typename Tile>
void dp4a_launch(const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int, cuda::Stream stream) {
  constexpr Dp4aTile kTile = Tile::kTile;
  const Dp4aParams params = dp4a_params(kTile, problem, args);
  launch_early(stream, Tile::kName, Grid{.x = dp4a_tiles(kTile, params)}, static_cast<unsigned>(kTile.threads()),
               kTile.shared_bytes(), problem.src == DType::kU8 ? &conv_dp4a<Tile, true> : &conv_dp4a<Tile, false>,
               params);
}

template <typename Tile>
constexpr cuda::ConvKernel dp4a_row() {
  return {.name = Tile::kName,
          .op = cuda::ConvOp::kConv,
          .min_sm = 75,
          .family = cuda::ConvFamily::kDp4a,
          .tile = {.pixels = Tile::kTile.rows, .channels = Tile::kTile.channels, .depth = Dp4aTile::kDepth},
          .supports = dp4a_supports,
          .pack = dp4a_pack<Tile>,
          .workspace = cuda::no_workspace,
          .launch = dp4a_launch<Tile>};
}

}  // namespace gpueval::GPUEVAL_TARGET
