// SPDX-License-Identifier: Apache-2.0
// Winograd's F(4x4, 3x3), one tile of 4x4 output pixels: Y = A' [(G g G') * (B' d B)] A with d the 6x6 source pixels
// (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015). 36 products in place of 144.
//
// Included by a translation unit with its own -m flags: plain structs only.
#pragma once

#include <cstdint>

#include "cpu/winograd_shape.h"

namespace gpueval::cpu {

// The points are 0, +-5/8, +-3/2 and infinity: of all pairs tried the least errors, less than half of those of +-1 and
// +-2. Every factor of B and A is a float32.
constexpr float kWinogradSmall = 0.625f, kWinogradLarge = 1.5f;

// B' d B of one tile, all channels. Source pixels outside of the image count as zero.
struct WinogradInput {
  const float* image = nullptr;  // h x w x channels
  int h = 0, w = 0, channels = 0;
  int y = 0, x = 0;               // the first source pixel; may be negative
  float* points = nullptr;        // channels values for each point
  std::int64_t point_stride = 0;  // floats from point to point
};

// dst = clamp(A' m A + bias + residual) of one tile, as far as it lies in the image.
struct WinogradOutput {
  const float* points = nullptr;
  std::int64_t point_stride = 0;
  const float* bias = nullptr;
  float* image = nullptr;           // p x q x channels
  const float* residual = nullptr;  // of the same shape, or nullptr
  int p = 0, q = 0, channels = 0;
  int y = 0, x = 0;  // the first output pixel
  float lo = 0, hi = 0;
};

#if defined(__x86_64__)
// channels: a multiple of 16.
void winograd_input_avx512(const WinogradInput& args);
void winograd_output_avx512(const WinogradOutput& args);
#endif

}  // namespace gpueval::cpu
