// SPDX-License-Identifier: Apache-2.0
// How the first-layer kernels with a max pool behind them (first_pool.h) cut the pool's map into tiles.
#pragma once

#include <cstddef>
#include <optional>

#include "cuda/conv/conv_kernel.h"

namespace gpueval::cuda {

inline constexpr int kFirstPoolChannels = 64;  // of a block; the bytes of a pixel of its patch of convolution outputs
inline constexpr int kFirstPoolPixels = 256;   // convolution outputs that a block computes at once

inline constexpr std::size_t kFirstPoolScales = 2 * kFirstPoolChannels * sizeof(float);  // bytes: m and b

// What a kernel puts into shared memory beside the patch of convolution outputs.
struct FirstPoolMemory {
  int taps;               // with those that fill a step up
  std::size_t tap_bytes;  // weights, and what else a tap has there
  int patches;            // of source pixels
  std::size_t limit;
  std::size_t taps_and_scales() const { return static_cast<std::size_t>(taps) * tap_bytes + kFirstPoolScales; }
};

struct FirstPoolPlan {
  int rows, columns;     // of pool outputs
  int conv_h, conv_w;    // convolution outputs under them
  int patch_h, patch_w;  // source pixels under those
  unsigned patch_bytes;  // a multiple of 16
  unsigned conv_bytes;
};

// The tiles of least work, where windows overlap and maps end counted; nothing where no tile fits into the memory.
std::optional<FirstPoolPlan> plan_first_pool(const ConvProblem& problem, const FirstPoolMemory& memory);

}  // namespace gpueval::cuda
