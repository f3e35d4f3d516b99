// SPDX-License-Identifier: Apache-2.0
#include "graph/moves.h"

#include <algorithm>
#include <array>

namespace gpueval {
namespace {

// source(y, x) for every pixel of the result.
template <typename Source>
std::vector<PixelSource> for_pixels(const Shape& dst, Source&& source) {
  std::vector<PixelSource> result;
  result.reserve(static_cast<std::size_t>(dst.h) * static_cast<std::size_t>(dst.w));
  for (int y = 0; y < dst.h; ++y) {
    for (int x = 0; x < dst.w; ++x) result.push_back(source(y, x));
  }
  return result;
}

// Row or column i of `to` in a source of `from`: a fraction, so that all backends agree exactly.
struct Position {
  std::int64_t numerator = 0, denominator = 1;
};
Position position(Grid grid, int i, int from, int to) {
  switch (grid) {
    case Grid::kHalfPixel:
      return {(std::int64_t{2} * i + 1) * from - to, std::int64_t{2} * to};
    case Grid::kAsymmetric:
      return {std::int64_t{i} * from, to};
    case Grid::kAligned:
      break;
  }
  return to == 1 ? Position{} : Position{std::int64_t{i} * (from - 1), to - 1};
}

// floor(i from / to) where the source's pixels begin at whole numbers, else the pixel whose centre is nearest, of two
// as near the one behind.
int nearest(Grid grid, int i, int from, int to) {
  const Position at = position(grid, i, from, to);
  const std::int64_t half = grid == Grid::kAsymmetric ? 0 : at.denominator;
  return static_cast<int>(std::min<std::int64_t>((2 * at.numerator + half) / (2 * at.denominator), from - 1));
}

}  // namespace

std::vector<PixelSource> pixel_sources(const DepthToSpace& op, const Shape& src, const Shape& dst) {
  return for_pixels(dst, [&](int y, int x) -> PixelSource {
    const int row = y + op.crop.top, column = x + op.crop.left;
    const int part = row % op.block_h * op.block_w + column % op.block_w;
    return {row / op.block_h * src.w + column / op.block_w, part * dst.c};
  });
}

std::vector<PixelSource> pixel_sources(const SpaceToBatch& op, const Shape& src, const Shape& dst) {
  const int distance = dst.h / (op.rate_h * op.rate_w), rows = distance - op.gap;
  return for_pixels(dst, [&](int y, int x) -> PixelSource {
    const int picture = y / distance, row = y % distance;
    const int h = row * op.rate_h + picture / op.rate_w - op.pad.top;
    const int w = x * op.rate_w + picture % op.rate_w - op.pad.left;
    if (row >= rows || h < 0 || h >= src.h || w < 0 || w >= src.w) return {};
    return {h * src.w + w, 0};
  });
}

std::vector<PixelSource> pixel_sources(const BatchToSpace& op, const Shape& src, const Shape& dst) {
  const int distance = (op.h + op.rate_h - 1) / op.rate_h + op.gap;
  return for_pixels(dst, [&](int y, int x) -> PixelSource {
    const int picture = y % op.rate_h * op.rate_w + x % op.rate_w;
    return {(picture * distance + y / op.rate_h) * src.w + x / op.rate_w, 0};
  });
}

std::vector<PixelSource> pixel_sources(const ResizeNearest& op, const Shape& src, const Shape& dst) {
  return for_pixels(dst, [&](int y, int x) -> PixelSource {
    return {nearest(op.grid, y, src.h, dst.h) * src.w + nearest(op.grid, x, src.w, dst.w), 0};
  });
}

ElementSteps element_steps(const Slice& op, const Shape& src, std::int64_t pitch) {
  const std::int64_t row = src.w * pitch;
  return {op.begin.h * row + op.begin.w * pitch + op.begin.c, op.step.h * row, op.step.w * pitch, op.step.c};
}

ElementSteps element_steps(const Permute& op, const Shape& src, std::int64_t pitch) {
  const std::array<std::int64_t, 3> step{src.w * pitch, pitch, 1};
  const auto along = [&](int extent) { return step.at(static_cast<std::size_t>(extent)); };
  return {0, along(op.order.h), along(op.order.w), along(op.order.c)};
}

std::vector<Between> linear_sources(Grid grid, int from, int to) {
  std::vector<Between> result;
  for (int i = 0; i < to; ++i) {
    Position at = position(grid, i, from, to);
    at.numerator = std::max<std::int64_t>(at.numerator, 0);  // in front of the first pixel's centre it is that pixel
    const auto lower = static_cast<std::int32_t>(at.numerator / at.denominator);
    const auto fraction = static_cast<float>(at.numerator % at.denominator) / static_cast<float>(at.denominator);
    result.push_back({lower, std::min(lower + 1, from - 1), fraction});
  }
  return result;
}

}  // namespace gpueval
