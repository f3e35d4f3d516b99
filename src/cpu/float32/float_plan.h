// SPDX-License-Identifier: Apache-2.0
// How our float32 convolution divides its work: pure functions of shape, threads and cache sizes. None of it changes
// a result: every output element sums in one order.
#pragma once

#include <cstdint>

#include "cpu/int8/isa.h"
#include "gpueval/conv_desc.h"

namespace gpueval::cpu {

// Output pixels as lines of adjacent half tiles: output rows, or one line of all pixels where the source is read
// pixel by pixel, too.
struct FloatLines {
  std::int64_t lines = 1, pixels = 1;  // pixels of one line
  int rows = 1;                        // pixels of a half tile
  std::int64_t halves = 1;             // half tiles of a line
  bool flat = false;
};
FloatLines float_lines(const ConvDesc& desc);  // of desc.n images

// The grid of a run's threads: parts of the pixels x parts of the blocks of output channels.
struct FloatGrid {
  int pixel_parts = 1, block_parts = 1;
  bool operator==(const FloatGrid&) const = default;
};
FloatGrid float_grid(const ConvDesc& desc, int threads);

// Tiles that one block of weights passes over before the next block does.
struct FloatPanel {
  std::int64_t tiles = 1;
  bool fetch_ahead = false;  // the weights do not stay in the L2 cache: fetch the next block's during this one's
};
FloatPanel float_panel(const ConvDesc& desc, int blocks, const CacheSizes& caches);

// Cache lines to fetch ahead for every four elements of depth, so that `tiles` tiles fetch a whole block.
int float_ahead_lines(std::int64_t tiles, int vectors);

// Whether our kernel beats oneDNN's on this shape (with AVX-512; docs/history.md): where few pixels share many
// weights, on strided 1x1 windows, and on 1x1 windows with a residual, for which oneDNN leaves its fastest kernel.
// Depends on neither batch nor threads, so that these change no result.
bool prefer_own_float_conv(const ConvDesc& desc, bool residual);

// Whether a layer can run from weights as Keras stores them (dense.h), and whether it should: where they fit no cache,
// so that their order saves nothing. By the shape alone, too.
bool plain_dense_fits(const ConvDesc& desc);
bool prefer_plain_dense(const ConvDesc& desc, bool residual);
// Output channels that are summed together: n images' sums stay in the first-level cache.
std::int64_t dense_chunk(int n);

// Whether Winograd's F(4x4, 3x3) computes this convolution, and whether it pays: by the shape alone, too.
bool winograd_fits(const ConvDesc& desc);
bool prefer_winograd(const ConvDesc& desc);
// Tiles of 4x4 output pixels that go through its phases together.
std::int64_t winograd_chunk(const ConvDesc& desc, const CacheSizes& caches);

}  // namespace gpueval::cpu
