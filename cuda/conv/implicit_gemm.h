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
  int src_pitch;
  int chunks;  // of 16 bytes in one source pixel
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
          .src_pitch = problem.src_pitch,
          .chunks = cuda::round_up(d.c, 16) / 16};
}

// Where the first tap of a row lies: row and column in its image, and bytes from the tensor's start (both may be
// outside). A row behind the last one lies outside with every tap.
struct SourceRow {
  std::int64_t offset;
  int h, w;
};

GPUEVAL_DEVICE SourceRow source_row(const GemmShape& g, int row) {
  if (row >= g.rows) return {0, -(1 << 28), 0};
  const int image = row / g.pixels, pixel = row % g.pixels;
  const int h = pixel / g.q * g.stride_h - g.pad_top;
  const int w = pixel % g.q * g.stride_w - g.pad_left;
  return {((static_cast<std::int64_t>(image) * g.h + h) * g.w + w) * g.src_pitch, h, w};
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

// Bytes from a row's first tap to the cursor's chunk.
GPUEVAL_DEVICE int tap_offset(const GemmShape& g, const DepthCursor& at) {
  return (at.r * g.w + at.s) * g.src_pitch + at.chunk * 16;
}

// Bytes from the tensor's start to the cursor's chunk of a row; valid = false: outside, and the offset is 0.
GPUEVAL_DEVICE std::int64_t source_offset(const GemmShape& g, const SourceRow& row, const DepthCursor& at,
                                          bool* valid) {
  *valid = at.r < g.kernel_h && is_inside(g, row, at.r, at.s);
  return *valid ? row.offset + tap_offset(g, at) : 0;
}

}  // namespace gpueval::GPUEVAL_TARGET
