// SPDX-License-Identifier: Apache-2.0
// Where a thread of a tensor-core convolution reads its operands. A thread owns one chunk column of its rows for the
// whole depth, so it divides once, for the pixels of its rows, and then steps: chunk, tap of the line, line.
#pragma once

#include <cstdint>

#include "cuda/conv/mma_params.h"
#include "cuda/prim/target.h"
#include "cuda/prim/thread.h"

namespace gpueval::GPUEVAL_TARGET {

// Source rows first, first + row_step(), ... of a tile. Rows behind the last pixel read the last one again: their sums
// are never stored. Steps behind the last chunk, in the padding of the depth, meet zero weights.
template <cuda::MmaTile kTile, bool kPointwise>
struct SourceReader {
  static constexpr int kRows = kTile.source_copies();
  const std::uint8_t* base;  // first pixel (pointwise) or first image that the tile touches
  int offset[kRows];         // from there: the row's pixel, or its tap (0, 0), which can lie outside
  [[maybe_unused]] int top[kRows], left[kRows];  // coordinates of tap (0, 0)
  int chunk, tap_offset;                         // in its tap; bytes from tap (0, 0)
  [[maybe_unused]] int s, r;                     // the tap

  // step: the first of the block's part of the depth.
  GPUEVAL_DEVICE SourceReader(const MmaParams& p, int m_tile, int step) {
    const int thread = static_cast<int>(thread_index().x);
    const int column = thread % kTile.chunks(), row = m_tile * kTile.m + thread / kTile.chunks();
    const int at = step * kTile.chunks() + column, last = p.rows - 1;
    if constexpr (kPointwise) {
      base = p.src + static_cast<std::int64_t>(m_tile) * kTile.m * p.pitch;
      chunk = at;
      tap_offset = at * 16;
      GPUEVAL_UNROLL
      for (int i = 0; i < kRows; ++i) {
        const int pixel = row + i * kTile.row_step();
        offset[i] = ((pixel < last ? pixel : last) - m_tile * kTile.m) * p.pitch;
      }
    } else {
      const int first_image = p.image_pixels.quotient(m_tile * kTile.m);
      base = p.src + first_image * p.image_bytes;
      const int tap = p.tap_chunks.quotient(at);
      chunk = p.tap_chunks.remainder(at, tap);
      r = p.filter_width.quotient(tap);
      s = p.filter_width.remainder(tap, r);
      tap_offset = (r * p.w + s) * p.pitch + chunk * 16;
      GPUEVAL_UNROLL
      for (int i = 0; i < kRows; ++i) {
        const int pixel = row + i * kTile.row_step(), clamped = pixel < last ? pixel : last;
        const int image = p.image_pixels.quotient(clamped), inside = p.image_pixels.remainder(clamped, image);
        const int line = p.line_pixels.quotient(inside);
        top[i] = line * p.stride_h - p.pad_top;
        left[i] = p.line_pixels.remainder(inside, line) * p.stride_w - p.pad_left;
        offset[i] = (image - first_image) * static_cast<int>(p.image_bytes) + (top[i] * p.w + left[i]) * p.pitch;
      }
    }
  }

  GPUEVAL_DEVICE bool inside(const MmaParams& p, [[maybe_unused]] int i) const {
    if constexpr (kPointwise) {
      return chunk < p.chunks;
    } else {
      return static_cast<unsigned>(top[i] + r) < static_cast<unsigned>(p.h) &&
             static_cast<unsigned>(left[i] + s) < static_cast<unsigned>(p.w);
    }
  }
  // Only if inside.
  GPUEVAL_DEVICE const std::uint8_t* address(int i) const { return base + (offset[i] + tap_offset); }

  GPUEVAL_DEVICE void advance(const MmaParams& p) {
    chunk += kTile.chunks();
    tap_offset += kTile.depth;
    if constexpr (!kPointwise) {
      while (chunk >= p.chunks) {
        chunk -= p.chunks;
        tap_offset += p.tap_step;
        if (++s == p.kernel_w) {
          s = 0;
          ++r;
          tap_offset += p.line_step;
        }
      }
    }
  }
};

// The first 16 bytes that a thread copies of its column tile's weights; the next are 16 * threads further, and every
// step weight_bytes() further (pack_mma).
template <cuda::MmaTile kTile>
GPUEVAL_DEVICE const std::uint8_t* weight_stream(const MmaParams& p, int n_tile, int step) {
  return p.weights + (static_cast<std::int64_t>(n_tile) * p.steps + step) * kTile.weight_bytes() +
         thread_index().x * 16;
}

// Shared offset of a thread's first chunk in a stage's source rows; the next are row_step() rows further.
template <cuda::MmaTile kTile>
GPUEVAL_DEVICE std::uint32_t source_slot() {
  const std::uint32_t thread = thread_index().x, chunks = kTile.chunks();
  return cuda::chunk_offset(thread / chunks, thread % chunks, chunks);
}

}  // namespace gpueval::GPUEVAL_TARGET
