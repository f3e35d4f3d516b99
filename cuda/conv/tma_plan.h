// SPDX-License-Identifier: Apache-2.0
// Host side of the convolutions whose source comes by the tensor memory accelerator (wgmma_tma.h): which problems they
// do, how their weights lie in memory, and the source's tensor map. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor_map.h"
#include "cuda/conv/conv_kernel.h"
#include "cuda/conv/mma_tile.h"

namespace gpueval::cuda {

// A step takes 128 channels of one tap, so taps are whole steps: the problem with as many channels. What the source has
// not is zeros (the map's channels are those of the layer), and so are its weights.
ConvProblem whole_tap_steps(const ConvProblem& problem);

// What mma_supports() says, and windows that the map of a tensor can have: strides to 8, padding to 127, up to 128 rows
// and columns.
bool tma_supports(const ConvProblem& problem, const MmaTile& tile);

// pack_mma() of whole_tap_steps().
std::vector<std::int8_t> pack_tma(const ConvProblem& problem, std::span<const std::int8_t> weights,
                                  const MmaTile& tile);

// Source of n images. Pointwise: the matrix of its pixels, a box of tile.m rows. Else im2col: from output pixel to
// output pixel, as many.
TensorMapFields source_map(const ConvProblem& problem, const void* src, int n, const MmaTile& tile);

}  // namespace gpueval::cuda
