// SPDX-License-Identifier: Apache-2.0
#include "cuda/conv/first_pool_plan.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/round_up.h"

namespace gpueval::cuda {
namespace {

constexpr int kMostRows = 32, kMostColumns = 32;  // of a tile: more have no room
constexpr int kStoreBytes = 16;
// What a tile costs beside its products, in convolution outputs: two barriers, and pixels of the source at its border.
constexpr int kTileCost = 64;

FirstPoolPlan cut(const ConvProblem& problem, int rows, int columns) {
  const Window& pool = *problem.pool;
  const Window& window = problem.desc.window;
  FirstPoolPlan plan{.rows = rows, .columns = columns};
  plan.conv_h = (rows - 1) * pool.stride_h + pool.kernel_h;
  plan.conv_w = (columns - 1) * pool.stride_w + pool.kernel_w;
  plan.patch_h = (plan.conv_h - 1) * window.stride_h + window.kernel_h;
  plan.patch_w = (plan.conv_w - 1) * window.stride_w + window.kernel_w;
  return plan;
}

}  // namespace

std::optional<FirstPoolPlan> plan_first_pool(const ConvProblem& problem, const FirstPoolMemory& memory) {
  std::optional<FirstPoolPlan> best;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (int rows = 1; rows <= std::min(problem.out_h(), kMostRows); ++rows) {
    for (int columns = 1; columns <= std::min(problem.out_w(), kMostColumns); ++columns) {
      FirstPoolPlan plan = cut(problem, rows, columns);
      const std::int64_t pixels = std::int64_t{plan.conv_h} * plan.conv_w;
      const std::int64_t patch = round_up(std::int64_t{plan.patch_h} * plan.patch_w * 4, kStoreBytes);
      const std::int64_t conv = round_up(pixels, 32) * kFirstPoolChannels;
      if (static_cast<std::size_t>(conv + memory.patches * patch) + memory.taps_and_scales() > memory.limit) break;
      const std::int64_t cost = ceil_div(std::int64_t{problem.out_h()}, rows) * ceil_div(problem.out_w(), columns) *
                                (round_up(pixels, kFirstPoolPixels) + kTileCost);
      if (cost >= least) continue;
      least = cost;
      plan.patch_bytes = static_cast<unsigned>(patch);
      plan.conv_bytes = static_cast<unsigned>(conv);
      best = plan;
    }
  }
  return best;
}

}  // namespace gpueval::cuda
