// SPDX-License-Identifier: Apache-2.0
#include "cuda/conv/mma_plan.h"

#include <algorithm>

#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

constexpr int divide_up(int value, int by) { return (value + by - 1) / by; }

}  // namespace

int mma_chunks(const ConvProblem& problem) { return divide_up(problem.desc.c, 16); }

int mma_steps(const ConvProblem& problem, const MmaTile& tile) {
  const Window& window = problem.desc.window;
  return divide_up(window.kernel_h * window.kernel_w * mma_chunks(problem), tile.chunks());
}

int mma_rows(const ConvProblem& problem, int n) { return n * problem.desc.p() * problem.desc.q(); }

int mma_row_tiles(const ConvProblem& problem, const MmaTile& tile, int n) {
  return divide_up(mma_rows(problem, n), tile.m);
}

int mma_column_tiles(const ConvProblem& problem, const MmaTile& tile) { return divide_up(problem.desc.k, tile.n); }

bool mma_pointwise(const ConvProblem& problem) { return problem.desc.window == Window{}; }

bool mma_supports(const ConvProblem& problem, const MmaTile& tile) {
  const ConvDesc& d = problem.desc;
  if (d.depthwise || problem.src_pitch <= 0 || problem.src_pitch % 16 != 0) return false;
  constexpr std::int64_t kLimit = 1 << 30;
  if (d.output_pixels() > kLimit) return false;
  if (std::int64_t{mma_row_tiles(problem, tile, d.n)} * mma_column_tiles(problem, tile) > kLimit) return false;
  // Offsets are counted from the first image that a tile touches, and overshoot it by at most a window and its border.
  const std::int64_t per_image = std::int64_t{d.p()} * d.q();
  const std::int64_t images = std::min<std::int64_t>(d.n, (tile.m - 1) / per_image + 2);
  const Padding& pad = d.window.pad;
  const std::int64_t border_rows = d.window.kernel_h + pad.top + pad.bottom + 1;
  const std::int64_t line_pixels = std::int64_t{d.w} + d.window.kernel_w + pad.left + pad.right;
  return images * d.h * d.w * problem.src_pitch <= kLimit && border_rows * line_pixels * problem.src_pitch <= kLimit;
}

std::vector<std::int8_t> pack_mma(const ConvProblem& problem, std::span<const std::int8_t> weights,
                                  const MmaTile& tile) {
  const ConvDesc& d = problem.desc;
  const std::int64_t taps = std::int64_t{d.window.kernel_h} * d.window.kernel_w;
  GPUEVAL_CHECK(static_cast<std::int64_t>(weights.size()) == d.k * taps * d.c, "{} weights for {}", weights.size(),
                to_string(d));
  const int chunks = mma_chunks(problem), row_chunks = tile.chunks(), steps = mma_steps(problem, tile);
  std::vector<std::int8_t> packed(static_cast<std::size_t>(mma_column_tiles(problem, tile)) *
                                  static_cast<std::size_t>(steps) * tile.weight_bytes());
  const std::int8_t* from = weights.data();
  for (int k = 0; k < d.k; ++k) {
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      for (int chunk = 0; chunk < chunks; ++chunk) {
        const std::int64_t at = tap * chunks + chunk, step = at / row_chunks;
        const std::size_t block = static_cast<std::size_t>(k / tile.n * std::int64_t{steps} + step);
        const std::uint32_t inside =
            chunk_offset(static_cast<std::uint32_t>(k % tile.n), static_cast<std::uint32_t>(at % row_chunks),
                         static_cast<std::uint32_t>(row_chunks));
        const int count = std::min(16, d.c - chunk * 16);
        std::copy_n(from, count, packed.data() + block * tile.weight_bytes() + inside);
        from += count;
      }
    }
  }
  return packed;
}

int depth_splits(int steps, std::int64_t tiles, int multiprocessors) {
  const std::int64_t idle = multiprocessors / std::max<std::int64_t>(tiles, 1);
  const int parts = static_cast<int>(std::clamp<std::int64_t>(idle, 1, std::max(steps / kMinSplitSteps, 1)));
  return divide_up(steps, divide_up(steps, parts));
}

int mma_splits(const ConvProblem& problem, const MmaTile& tile, int multiprocessors) {
  if (!tile.split_depth) return 1;
  const std::int64_t tiles =
      std::int64_t{mma_row_tiles(problem, tile, problem.desc.n)} * mma_column_tiles(problem, tile);
  return depth_splits(mma_steps(problem, tile), tiles, multiprocessors);
}

std::size_t mma_workspace(const ConvProblem& problem, const MmaTile& tile, int multiprocessors) {
  if (mma_splits(problem, tile, multiprocessors) == 1) return 0;
  const std::int64_t tiles =
      std::int64_t{mma_row_tiles(problem, tile, problem.desc.n)} * mma_column_tiles(problem, tile);
  return static_cast<std::size_t>(tiles * (std::int64_t{tile.m} * tile.n + 1)) * sizeof(int);
}

}  // namespace gpueval::cuda
