// SPDX-License-Identifier: Apache-2.0
// A convolution as a matrix product without building the matrix: a row is an output pixel, a column an output channel,
// and the depth runs over the taps and, within a tap, over chunks of 16 source channels. A thread keeps its rows and
// its place in the depth, so the divisions are done once and every step is additions and comparisons.
#pragma once

#include <cstdint>

#include "cuda/conv/conv_kernel.h"
#include "cuda/conv/pack.h"
#include "cuda/prim/target.h"

namespace gpueval::GPUEVAL_TARGET {

struct GemmShape {
  int rows;    // n * P * Q
  int k;       // output channels
  int pixels;  // P * Q
  int h, w, q;
  int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
  int pitch;   // from source pixel to pixel, in chunks of 16 bytes
  int chunks;  // of one source pixel
};

inline GemmShape gemm_shape(const cuda::ConvProblem& problem, int n) {
  const ConvDesc& d = problem.desc;
  const Window& window = d.window;
  return {.rows = n * d.p() * d.q(),
          .k = d.k,
          .pixels = d.p() * d.q(),
          .h = d.h,
          .w = d.w,
          .q = d.q(),
          .kernel_h = window.kernel_h,
          .kernel_w = window.kernel_w,
          .stride_h = window.stride_h,
          .stride_w = window.stride_w,
          .pad_top = window.pad.top,
          .pad_left = window.pad.left,
          .pitch = problem.src_pitch / 16,
          .chunks = cuda::round_up(d.c, 16) / 16};
}

// Where the first tap of a row lies: pixels from the tensor's start, and row and column in its image (all may be
// outside). A row behind the last one lies outside with every tap.
struct SourceRow {
  int pixel;
  int h, w;
};

GPUEVAL_DEVICE SourceRow source_row(const GemmShape& g, int row) {
  if (row >= g.rows) return {0, -(1 << 28), 0};
  const int image = row / g.pixels, pixel = row % g.pixels;
  const int h = pixel / g.q * g.stride_h - g.pad_top;
  const int w = pixel % g.q * g.stride_w - g.pad_left;
  return {(image * g.h + h) * g.w + w, h, w};
}

// True if tap (r, s) of the row is a real pixel.
GPUEVAL_DEVICE bool is_inside(const GemmShape& g, const SourceRow& row, int r, int s) {
  return static_cast<unsigned>(row.h + r) < static_cast<unsigned>(g.h) &&
         static_cast<unsigned>(row.w + s) < static_cast<unsigned>(g.w);
}

// A place in the depth: chunk `chunk` of tap (r, s). r reaches kernel_h behind the last chunk.
struct DepthCursor {
  int chunk, s, r;
};

GPUEVAL_DEVICE DepthCursor depth_cursor(const GemmShape& g, int chunk) {
  const int tap = chunk / g.chunks;
  return {chunk % g.chunks, tap % g.kernel_w, tap / g.kernel_w};
}

GPUEVAL_DEVICE void advance(const GemmShape& g, DepthCursor& at, int chunks) {
  at.chunk += chunks;
  while (at.chunk >= g.chunks) {
    at.chunk -= g.chunks;
    if (++at.s == g.kernel_w) {
      at.s = 0;
      ++at.r;
    }
  }
}

// Chunks from the tensor's start to the cursor's chunk of a row (2^31 of them are 34 GB: 32 bits are enough);
// valid = false: outside, and the offset is 0.
GPUEVAL_DEVICE int source_chunk(const GemmShape& g, const SourceRow& row, const DepthCursor& at, bool* valid) {
  *valid = at.r < g.kernel_h && is_inside(g, row, at.r, at.s);
  return *valid ? (row.pixel + at.r * g.w + at.s) * g.pitch + at.chunk : 0;
}

// The bytes of a chunk.
template <typename Byte>
GPUEVAL_DEVICE const Byte* chunk_address(const Byte* tensor, int chunk) {
  return tensor + static_cast<std::int64_t>(chunk) * 16;
}

}  // namespace gpueval::GPUEVAL_TARGET
