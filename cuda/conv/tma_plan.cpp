// SPDX-License-Identifier: Apache-2.0
#include "cuda/conv/tma_plan.h"

#include <algorithm>
#include <cstddef>

#include "core/round_up.h"
#include "cuda/conv/mma_plan.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

constexpr int kStepChannels = 128;

}  // namespace

ConvProblem whole_tap_steps(const ConvProblem& problem) {
  ConvProblem whole = problem;
  whole.desc.c = round_up(problem.desc.c, kStepChannels);
  return whole;
}

bool tma_supports(const ConvProblem& problem, const MmaTile& tile) {
  constexpr int kMostStride = 8, kMostPadding = 127, kMostWindow = 128;
  const Window& w = problem.desc.window;
  const Padding& pad = w.pad;
  return mma_supports(problem, tile) && std::max(w.stride_h, w.stride_w) <= kMostStride &&
         std::max({pad.top, pad.bottom, pad.left, pad.right}) <= kMostPadding &&
         std::max(w.kernel_h, w.kernel_w) <= kMostWindow;
}

std::vector<std::int8_t> pack_tma(const ConvProblem& problem, std::span<const std::int8_t> weights,
                                  const MmaTile& tile) {
  const ConvDesc& d = problem.desc;
  const ConvProblem whole = whole_tap_steps(problem);
  const auto channels = static_cast<std::size_t>(d.c), pitch = static_cast<std::size_t>(whole.desc.c);
  const std::size_t taps = static_cast<std::size_t>(d.k) * static_cast<std::size_t>(d.window.kernel_h) *
                           static_cast<std::size_t>(d.window.kernel_w);
  GPUEVAL_CHECK(weights.size() == taps * channels, "{} weights for {}", weights.size(), to_string(d));
  std::vector<std::int8_t> padded(taps * pitch, 0);
  for (std::size_t tap = 0; tap < taps; ++tap) {
    std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(tap * channels), channels,
                padded.begin() + static_cast<std::ptrdiff_t>(tap * pitch));
  }
  return pack_mma(whole, padded, tile);
}

TensorMapFields source_map(const ConvProblem& problem, const void* src, int n, const MmaTile& tile) {
  const ConvDesc& d = problem.desc;
  const Window& window = d.window;
  const auto size = [](int value) { return static_cast<std::uint32_t>(value); };
  const auto pitch = static_cast<std::uint64_t>(problem.src_pitch), line = pitch * size(d.w);
  TensorMapFields map = {.address = src, .sizes = {size(d.c)}, .box = {size(tile.depth), size(tile.m)}};
  if (mma_pointwise(problem)) {
    map.rank = 2;
    map.sizes[1] = size(mma_rows(problem, n));
    map.strides[0] = pitch;
    return map;
  }
  map.rank = 4;
  map.im2col = true;
  const std::uint32_t sizes[] = {size(d.w), size(d.h), size(n)};
  const std::uint64_t strides[] = {pitch, line, line * size(d.h)};
  std::copy_n(sizes, 3, map.sizes + 1);
  std::copy_n(strides, 3, map.strides);
  map.lower[0] = -window.pad.left;
  map.lower[1] = -window.pad.top;
  map.upper[0] = window.pad.right - (window.kernel_w - 1);
  map.upper[1] = window.pad.bottom - (window.kernel_h - 1);
  map.element_strides[0] = size(window.stride_w);
  map.element_strides[1] = size(window.stride_h);
  return map;
}

}  // namespace gpueval::cuda
