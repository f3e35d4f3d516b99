// SPDX-License-Identifier: Apache-2.0
// What every tensor-core convolution is started with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "cuda/conv/epilogue.h"
#include "cuda/conv/mma_index.h"
#include "cuda/conv/mma_plan.h"
#include "cuda/prim/target.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {

struct MmaParams {
  Epilogue epilogue;
  const std::uint8_t* src;
  const std::uint8_t* weights;                 // pack_mma()
  int* sums;                                   // split depth: all tiles' sums, zero between calls
  int* arrived;                                // split depth: one counter a tile, likewise
  cuda::TileOrder order;                       // of the blocks of grid.x
  cuda::Divisor image_pixels, line_pixels;     // of the output: P * Q and Q
  cuda::Divisor tap_chunks, filter_width;      // chunks of a tap, S
  std::int64_t image_bytes;                    // of the source, as are the next three
  int h, w, pitch;                             // pixels, pixels, bytes
  int tap_step, line_step;                     // bytes from a tap's end to the next one, from line to line
  int stride_h, stride_w, pad_top, pad_left;   // of the window, in pixels
  int rows, chunks, kernel_w;                  // output pixels; chunks of a tap; S
  int steps, part_steps;                       // of the whole depth, of the part of one block
  int tiles;                                   // of the output
  bool dst_vector, dst_pair, residual_vector;  // 16-byte stores, 8-byte stores of floats, 16-byte loads
};

inline MmaParams make_mma_params(const cuda::ConvProblem& problem, const cuda::ConvArgs& args,
                                 const cuda::MmaTile& tile, int splits) {
  const ConvDesc& d = problem.desc;
  const int chunks = cuda::mma_chunks(problem), steps = cuda::mma_steps(problem, tile);
  const int m_tiles = cuda::mma_row_tiles(problem, tile, args.n), n_tiles = cuda::mma_column_tiles(problem, tile);
  int* const sums = static_cast<int*>(args.workspace);
  // The counters stand behind the sums of the full batch, so that they stay where they are for a smaller one.
  const std::int64_t all_tiles = std::int64_t{cuda::mma_row_tiles(problem, tile, d.n)} * n_tiles;
  return {.epilogue = make_epilogue(problem, args),
          .src = static_cast<const std::uint8_t*>(args.src),
          .weights = static_cast<const std::uint8_t*>(args.weights),
          .sums = sums,
          .arrived = sums == nullptr ? nullptr : sums + all_tiles * tile.m * tile.n,
          .order = cuda::TileOrder(m_tiles, n_tiles),
          .image_pixels = cuda::Divisor(d.p() * d.q()),
          .line_pixels = cuda::Divisor(d.q()),
          .tap_chunks = cuda::Divisor(chunks),
          .filter_width = cuda::Divisor(d.window.kernel_w),
          .image_bytes = std::int64_t{d.h} * d.w * problem.src_pitch,
          .h = d.h,
          .w = d.w,
          .pitch = problem.src_pitch,
          .tap_step = problem.src_pitch - chunks * 16,
          .line_step = (d.w - d.window.kernel_w) * problem.src_pitch,
          .stride_h = d.window.stride_h,
          .stride_w = d.window.stride_w,
          .pad_top = d.window.pad.top,
          .pad_left = d.window.pad.left,
          .rows = cuda::mma_rows(problem, args.n),
          .chunks = chunks,
          .kernel_w = d.window.kernel_w,
          .steps = steps,
          .part_steps = (steps + splits - 1) / splits,
          .tiles = m_tiles * n_tiles,
          .dst_vector = problem.dst != DType::kF32 && aligned_to(args.dst, problem.dst_pitch, 16),
          .dst_pair = problem.dst == DType::kF32 && aligned_to(args.dst, problem.dst_pitch * 4, 8),
          .residual_vector = args.residual != nullptr && aligned_to(args.residual, problem.residual_pitch, 16)};
}

// What all rows of a tile have in common. Row: static constexpr kTile.
template <typename Row>
struct TileRow {
  static bool supports(const cuda::ConvProblem& problem) { return cuda::mma_supports(problem, Row::kTile); }
  static std::vector<std::int8_t> pack(const cuda::ConvProblem& problem, std::span<const std::int8_t> weights) {
    return cuda::pack_mma(problem, weights, Row::kTile);
  }
  static std::size_t workspace(const cuda::ConvProblem& problem, int multiprocessors) {
    return cuda::mma_workspace(problem, Row::kTile, multiprocessors);
  }
};

// The table's row. How: a TileRow<Row> with a launch.
template <typename Row, typename How>
constexpr cuda::ConvKernel tile_kernel(int min_sm, cuda::ConvFamily family,
                                       int max_sm = std::numeric_limits<int>::max()) {
  return {.name = Row::kName,
          .op = cuda::ConvOp::kConv,
          .min_sm = min_sm,
          .family = family,
          .tile = cuda::conv_tile(Row::kTile),
          .supports = How::supports,
          .pack = How::pack,
          .workspace = How::workspace,
          .launch = How::launch,
          .max_sm = max_sm};
}

// One kernel for each source type and kind of window: [unsigned source][pointwise].
struct MmaVariants {
  void (*kernel[2][2])(MmaParams);
};

inline void launch_mma(const char* name, const MmaVariants& variants, const cuda::MmaTile& tile,
                       const cuda::ConvProblem& problem, const cuda::ConvArgs& args, int multiprocessors,
                       cuda::Stream stream) {
  const int splits = cuda::mma_splits(problem, tile, multiprocessors);
  const MmaParams params = make_mma_params(problem, args, tile, splits);
  const int at_once = tile.persistent ? multiprocessors * tile.blocks : params.tiles;
  const auto blocks = static_cast<unsigned>(std::min(params.tiles, at_once));
  const auto kernel = variants.kernel[problem.src == DType::kU8 ? 1 : 0][cuda::mma_pointwise(problem) ? 1 : 0];
  launch_early(stream, name, {.x = blocks, .y = 1, .z = static_cast<unsigned>(splits)},
               static_cast<unsigned>(tile.threads()), tile.shared_bytes(), kernel, params);
}

}  // namespace gpueval::GPUEVAL_TARGET
