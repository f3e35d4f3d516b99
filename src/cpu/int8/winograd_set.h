// SPDX-License-Identifier: Apache-2.0
// Winograd's F(4x4, 3x3) in whole numbers, exact: a quarter of the multiply-adds, on 16-bit factors
// (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015; the points 0, 1, -1, 2, -2, infinity).
//
//   Y = A' [(G g G') . (B' d B)] A
//
// With 24 G in place of G (12 G in its last row, whose points A then doubles) every step is one of integers and gives
// 576 Y. |B' d B| <= 17,340 for bytes and weight points of at most 144 * 127 fit 16 bits. Sums may wrap: 576 Y is right
// modulo 2^32, times the inverse of 9 it is 64 Y modulo 2^32, and Y where |Y| < 2^25 (kWinogradBound): the depth is cut
// into parts whose weights promise that.
//
// Included by translation units with their own -m flags: plain structs only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/int8/tile.h"
#include "cpu/winograd_shape.h"

namespace gpueval::cpu {

constexpr std::int64_t kWinogradBound = std::int64_t{1} << 25;
constexpr int kWinogradParts = 16;  // of the depth, at most

// B' d B of one tile, all channels. Source pixels outside of the image count as `padding`.
struct WinogradSource {
  const std::byte* image = nullptr;  // h x w pixels of `channels` bytes
  std::int64_t row_bytes = 0, pixel_bytes = 0;
  int h = 0, w = 0, channels = 0;
  int y = 0, x = 0;  // the first source pixel; may be negative
  std::byte padding{};
  std::int16_t* points = nullptr;  // for each point the channels, at least WinogradSet::depth
  std::int64_t point_stride = 0;   // elements from point to point
};

// sums = source x weights at one point: tiles x depth x a block of output channels.
struct WinogradProduct {
  const std::int16_t* source = nullptr;  // [tile][depth], source_pitch elements from tile to tile
  std::int64_t source_pitch = 0;
  int tiles = 0, depth = 0;               // depth: a multiple of 4
  const std::int16_t* weights = nullptr;  // [depth / 2][lane][2]
  std::int32_t* sums = nullptr;           // [tile][lane]
};

// The outputs of one tile, a block of output channels, as far as they lie in the image.
struct WinogradOutputs {
  const std::int32_t* sums = nullptr;  // the tile's, of the first point
  std::int64_t point_stride = 0;       // elements from point to point
  int parts = 1;                       // of the depth, each with sums of its own
  std::int64_t part_stride = 0;
  int rows = 0, columns = 0;  // in the image: 1 to kWinogradOut
  int channels = 0;           // real ones of the block
  const float* m = nullptr;   // of each lane
  const float* b = nullptr;
  std::byte* dst = nullptr;  // the first pixel, first channel; pitches are bytes
  std::int64_t dst_row = 0, dst_pixel = 0;
  const std::byte* residual = nullptr;
  std::int64_t residual_row = 0, residual_pixel = 0;
  const Epilogue* epilogue = nullptr;
};

struct WinogradSet {
  int lanes;        // output channels of one vector
  int max_vectors;  // widest block, in vectors
  int depth;        // source channels of one vector
  void (*source_u8)(const WinogradSource& args);
  void (*source_s8)(const WinogradSource& args);
  void (*product[kMaxVectors + 1])(const WinogradProduct& args);  // [vectors]
  void (*outputs)(const WinogradOutputs& args);
};

#if defined(__x86_64__)
extern const WinogradSet kWinogradAvx2;
#if defined(GPUEVAL_AVX_VNNI)
extern const WinogradSet kWinogradAvxVnni;
#endif
extern const WinogradSet kWinogradAvx512Vnni;
#endif

}  // namespace gpueval::cpu
