// SPDX-License-Identifier: Apache-2.0
// The register tiles of our float32 convolution: one or two half tiles, each of 1 to kHalfRows output pixels whose
// sources lie at one stride, times one block of output channels.
//
// Included by a translation unit with its own -m flags: plain structs only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gpueval::cpu {

constexpr int kFloatLanes = 16;   // of one AVX-512 vector
constexpr int kFloatVectors = 2;  // of a block of output channels
constexpr int kFloatBlock = kFloatLanes * kFloatVectors;
constexpr int kHalfRows = 7;

// All strides are bytes.
struct FloatTileArgs {
  const std::byte* src[2] = {};  // first source element of each half's first pixel
  std::int64_t src_stride = 0;   // from pixel to pixel of a half
  int runs = 1;                  // stretches of adjacent source elements that one output pixel reads (window rows)
  int run_length = 0;            // elements of a run
  std::int64_t run_stride = 0;
  const float* weights = nullptr;  // [runs][run_length][kFloatBlock], or [..][kFloatLanes] in a block of one vector
  const float* bias = nullptr;     // one for each lane
  int channels = 0;                // real ones: lanes behind them are not stored
  std::byte* dst[2] = {};
  std::int64_t dst_stride = 0;
  const std::byte* residual[2] = {};  // nullptr: none
  std::int64_t residual_stride = 0;
  float lo = 0, hi = 0;          // the activation's bounds
  const float* ahead = nullptr;  // weights that will be read next, to be fetched meanwhile
  int ahead_lines = 0;           // cache lines of them for every four elements of depth
};

using FloatTileFn = void (*)(const FloatTileArgs& args);

#if defined(__x86_64__)
// [vectors - 1][halves - 1][rows of a half - 1]
extern const FloatTileFn kFloatTilesAvx512[kFloatVectors][2][kHalfRows];
#endif

}  // namespace gpueval::cpu
