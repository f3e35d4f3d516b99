// SPDX-License-Identifier: Apache-2.0
// What the first-layer kernels share. The source has up to four channels, one word a pixel; a block computes 16 columns
// by `rows` rows of output pixels for `channels` channels from the patch of source pixels under them, copied to shared
// memory once. What lies outside the image is zero there, so the products know no border.
#pragma once

#include "cuda/conv/epilogue.h"
#include "cuda/conv/first_pack.h"
#include "cuda/prim/cp_async.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"

namespace gpueval::GPUEVAL_TARGET {

struct FirstTile {
  int rows, channels;
  static constexpr int kColumns = 16;
};
inline constexpr unsigned kFirstThreads = 128;
inline constexpr std::size_t kFirstSharedLimit = 48u << 10;

struct FirstParams {
  Epilogue epilogue;
  const std::uint8_t* src;
  const std::int8_t* weights;
  int h, w, p, q, src_pitch;
  int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
  int tiles_p, tiles_q;
  int patch_h, patch_w;   // pixels
  int steps;              // of eight taps
  unsigned patch_bytes;   // a multiple of 16
  unsigned weight_bytes;  // of one tile of channels
  bool runs;              // a plain layer, up to 16 channels at once
};

inline FirstParams make_first_params(const FirstTile& tile, const cuda::ConvProblem& problem,
                                     const cuda::ConvArgs& args) {
  const ConvDesc& d = problem.desc;
  const Window& window = d.window;
  FirstParams params{.epilogue = make_epilogue(problem, args),
                     .src = static_cast<const std::uint8_t*>(args.src),
                     .weights = static_cast<const std::int8_t*>(args.weights),
                     .h = d.h,
                     .w = d.w,
                     .p = d.p(),
                     .q = d.q(),
                     .src_pitch = problem.src_pitch,
                     .kernel_h = window.kernel_h,
                     .kernel_w = window.kernel_w,
                     .stride_h = window.stride_h,
                     .stride_w = window.stride_w,
                     .pad_top = window.pad.top,
                     .pad_left = window.pad.left};
  params.tiles_p = (params.p + tile.rows - 1) / tile.rows;
  params.tiles_q = (params.q + FirstTile::kColumns - 1) / FirstTile::kColumns;
  params.patch_h = (tile.rows - 1) * window.stride_h + window.kernel_h;
  params.patch_w = (FirstTile::kColumns - 1) * window.stride_w + window.kernel_w;
  params.steps = cuda::first_steps(d);
  params.patch_bytes = static_cast<unsigned>(cuda::round_up(params.patch_h * params.patch_w * 4, 16));
  params.runs = is_plain(params.epilogue) && aligned_to(args.dst, problem.dst_pitch, 16);
  return params;
}

// Patches are bounded before they are multiplied: windows and strides come from outside.
inline bool is_bounded(const Window& window) {
  constexpr int kLargest = 1024;
  return window.kernel_h <= kLargest && window.kernel_w <= kLargest && window.stride_h <= kLargest &&
         window.stride_w <= kLargest;
}
inline bool is_first_layer(const cuda::ConvProblem& problem) {
  const ConvDesc& d = problem.desc;
  return !d.depthwise && d.c <= 4 && problem.src_pitch % 4 == 0 && is_bounded(d.window);
}

inline bool supports_first(const FirstTile& tile, const cuda::ConvProblem& problem, std::size_t tap_bytes) {
  if (!is_first_layer(problem)) return false;
  const FirstParams params = make_first_params(tile, problem, {});
  return params.patch_bytes + static_cast<std::size_t>(params.steps) * 8 * tap_bytes <= kFirstSharedLimit;
}

inline Grid first_grid(const FirstTile& tile, const FirstParams& params, int images) {
  return {.x = static_cast<unsigned>(params.tiles_p * params.tiles_q * images),
          .y = static_cast<unsigned>((params.epilogue.k + tile.channels - 1) / tile.channels)};
}

// The first pixel and channel of what a block computes.
struct FirstPlace {
  int image, p, q, channel;
};
GPUEVAL_DEVICE FirstPlace first_place(const FirstTile& tile, const FirstParams& a) {
  const int block = static_cast<int>(block_index().x), row = block / a.tiles_q;
  return {.image = row / a.tiles_p,
          .p = row % a.tiles_p * tile.rows,
          .q = block % a.tiles_q * FirstTile::kColumns,
          .channel = static_cast<int>(block_index().y) * tile.channels};
}

// The patch, a word a pixel, to shared memory from `offset` on. A warp copies a row. kAsync: by cp.async; the caller
// commits and waits.
template <unsigned kThreads = kFirstThreads, bool kAsync = false>
GPUEVAL_DEVICE void load_patch(const FirstParams& a, const FirstPlace& at, std::uint32_t offset = 0) {
  const Shared<std::uint32_t> patch(offset, a.patch_bytes / 4);
  const int warp = static_cast<int>(thread_index().x / 32), lane = static_cast<int>(thread_index().x % 32);
  const int y0 = at.p * a.stride_h - a.pad_top, x0 = at.q * a.stride_w - a.pad_left;
  for (int i = warp; i < a.patch_h; i += static_cast<int>(kThreads / 32)) {
    const int y = y0 + i;
    const std::int64_t row = (static_cast<std::int64_t>(at.image) * a.h + y) * a.w;
    for (int j = lane; j < a.patch_w; j += 32) {
      const int x = x0 + j;
      const bool real = y >= 0 && y < a.h && x >= 0 && x < a.w;
      const std::uint8_t* const from = a.src + (row + x) * a.src_pitch;
      if constexpr (kAsync) {
        cp_async_4(offset + static_cast<std::uint32_t>(i * a.patch_w + j) * 4, real ? from : a.src, real);
      } else {
        patch[i * a.patch_w + j] = real ? load_global<std::uint32_t>(from) : 0u;
      }
    }
  }
}

// The weights of the block's channels, 16 bytes at a time, to shared memory from `offset` on.
template <unsigned kThreads = kFirstThreads>
GPUEVAL_DEVICE void load_first_weights(const FirstParams& a, std::uint32_t offset) {
  const std::int8_t* from = a.weights + static_cast<std::size_t>(block_index().y) * a.weight_bytes;
  for (unsigned i = thread_index().x * 16; i < a.weight_bytes; i += kThreads * 16) {
    shared_at<Bytes16>(offset + i) = load_global<Bytes16>(from + i);
  }
}

}  // namespace gpueval::GPUEVAL_TARGET
