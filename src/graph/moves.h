// SPDX-License-Identifier: Apache-2.0
// Where the elements of a result come from, of operations that only move them. Of one image; src and dst are the
// shapes of the operation's tensors.
#pragma once

#include <cstdint>
#include <vector>

#include "gpueval/graph.h"

namespace gpueval {

// A pixel of the result is the c channels of the source's pixel from `channel` on; pixel -1: zeros.
struct PixelSource {
  std::int32_t pixel = -1, channel = 0;
  bool operator==(const PixelSource&) const = default;
};
std::vector<PixelSource> pixel_sources(const DepthToSpace& op, const Shape& src, const Shape& dst);
std::vector<PixelSource> pixel_sources(const SpaceToBatch& op, const Shape& src, const Shape& dst);
std::vector<PixelSource> pixel_sources(const BatchToSpace& op, const Shape& src, const Shape& dst);
std::vector<PixelSource> pixel_sources(const ResizeNearest& op, const Shape& src, const Shape& dst);

// Element (y, x, k) of the result is element first + y * this->y + x * this->x + k * this->k of a source whose pixels
// are `pitch` elements apart.
struct ElementSteps {
  std::int64_t first = 0, y = 0, x = 0, k = 0;
};
ElementSteps element_steps(const Slice& op, const Shape& src, std::int64_t pitch);
ElementSteps element_steps(const Permute& op, const Shape& src, std::int64_t pitch);

// The two pixels of the source (rows or columns) that a row or column of a linearly resized map lies between.
struct Between {
  std::int32_t lower = 0, upper = 0;
  float fraction = 0;  // of the way from lower to upper
};
std::vector<Between> linear_sources(Grid grid, int from, int to);

}  // namespace gpueval
