// SPDX-License-Identifier: Apache-2.0
// Weights of the first-layer kernels: the four channels of a tap (up to four real ones, the rest zero) make a word.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cuda/conv/conv_kernel.h"
#include "cuda/conv/pack.h"

namespace gpueval::cuda {

// [tile of k][R * S][channels] words.
std::vector<std::int8_t> pack_first_taps(const ConvProblem& problem, std::span<const std::int8_t> weights,
                                         int channels);

// Which of a tile's channels column `column` of its 8-wide part `part` is, so that a lane of an m16n8k32 product ends
// up with channels / 4 neighbouring ones.
constexpr int first_channel_of(int part, int column, int channels) {
  return column / 2 * (channels / 4) + part * 2 + column % 2;
}
// Steps of eight taps, 32 bytes of depth.
constexpr int first_steps(const ConvDesc& desc) { return (desc.window.kernel_h * desc.window.kernel_w + 7) / 8; }
// The B fragments of m16n8k32 (prim/mma.h): [tile of k][step][part][lane][b0, b1] words.
std::vector<std::int8_t> pack_first_fragments(const ConvProblem& problem, std::span<const std::int8_t> weights,
                                              int channels);

}  // namespace gpueval::cuda
