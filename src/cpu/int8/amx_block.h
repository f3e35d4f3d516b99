// SPDX-License-Identifier: Apache-2.0
// The interface of the matrix tile kernel. Included by a translation unit with its own -m flags: plain structs only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/int8/tile.h"

namespace gpueval::cpu {

constexpr int kAmxBlockTiles = 2;  // a block is 2 x 2 tiles: 32 pixels x 32 output channels
constexpr int kAmxSumBytes = 4096;

// What LDTILECFG reads. Tiles 0 to 3 are sums, 4 and 5 pixels, 6 and 7 weights.
struct alignas(64) AmxConfig {
  std::uint8_t palette = 1, start_row = 0, reserved[14]{};
  std::uint16_t row_bytes[16]{};
  std::uint8_t rows[16]{};
};

struct AmxBlock {
  const std::byte* src[kAmxBlockTiles]{};       // row 0 of each pixel tile
  const std::int64_t* pixel[kAmxBlockTiles]{};  // output pixel of each row, -1: not stored
  int tiles = 0;                                // pixel tiles, 1 or 2
  int rows = 0;                                 // of a pixel tile
  std::int64_t src_pitch = 0;
  const std::int64_t* offsets = nullptr;  // of each depth step, in bytes from src
  int steps = 0;
  bool is_signed = false;              // source
  const std::byte* weights = nullptr;  // [step][channel tile][depth / 4][16 channels][4]
  std::int64_t weight_bytes = 0;       // of one tile
  const float* m = nullptr;
  const float* b = nullptr;
  int channels = 0;          // 1 to 32; up to 16: one channel tile
  std::byte* dst = nullptr;  // output pixel 0, first channel; pitches are bytes
  std::int64_t dst_pitch = 0;
  const std::byte* residual = nullptr;
  std::int64_t residual_pitch = 0;
  const Epilogue* epilogue = nullptr;
  std::byte* sums = nullptr;  // kAmxSumBytes on a cache line, this block's own until it is stored
};

#if defined(__x86_64__)
// The configuration belongs to the thread; other libraries change it, so each task loads its own.
void amx_configure(const AmxConfig& config);
void amx_release();
// Leaves the block's sums in its buffer, and meanwhile stores the outputs of the block before, if there is one.
void amx_multiply(const AmxBlock& block, const AmxBlock* before);
void amx_store(const AmxBlock& block);
#endif

}  // namespace gpueval::cpu
