// SPDX-License-Identifier: Apache-2.0
#include "cpu/float32/float_plan.h"

#include <algorithm>

#include "core/round_up.h"
#include "cpu/float32/dense_tile.h"
#include "cpu/float32/tile.h"
#include "cpu/float32/winograd_tile.h"

namespace gpueval::cpu {
namespace {

bool pixel_by_pixel(const Window& w) {
  return w.kernel_h == 1 && w.kernel_w == 1 && w.stride_h == 1 && w.stride_w == 1 && w.pad == Padding{};
}

}  // namespace

FloatLines float_lines(const ConvDesc& desc) {
  FloatLines found;
  found.flat = pixel_by_pixel(desc.window);
  found.lines = found.flat ? 1 : std::int64_t{desc.n} * desc.p();
  found.pixels = found.flat ? desc.output_pixels() : desc.q();
  const std::int64_t halves = ceil_div(found.pixels, kHalfRows);
  // A flat line ends in a smaller half tile; the last one of an output row overlaps its neighbour instead, so equal
  // halves waste least.
  found.rows =
      static_cast<int>(found.flat ? std::min<std::int64_t>(found.pixels, kHalfRows) : ceil_div(found.pixels, halves));
  found.halves = ceil_div(found.pixels, found.rows);
  return found;
}

FloatGrid float_grid(const ConvDesc& desc, int threads) {
  const FloatLines lines = float_lines(desc);
  const std::int64_t units = lines.flat ? ceil_div(lines.halves, 2) : lines.lines;  // threads share no tile, no line
  const std::int64_t unit_pixels = lines.flat ? 2 * lines.rows : lines.pixels;
  const std::int64_t blocks = ceil_div(desc.k, kFloatBlock);
  // In cycles of a core: 32 multiply-adds, or 8 bytes from beyond its own caches. Every part of the pixels reads the
  // weights, every part of the blocks the source.
  constexpr double kMultiplyAdds = 32, kBytes = 8;
  const double source = 4.0 * desc.n * desc.h * desc.w * desc.c;
  FloatGrid best;
  double least = 0;
  for (int pixel_parts = 1; pixel_parts <= threads; ++pixel_parts) {
    if (threads % pixel_parts != 0) continue;
    const int block_parts = threads / pixel_parts;
    const auto part_pixels = static_cast<double>(ceil_div(units, pixel_parts) * unit_pixels);
    const auto part_blocks = static_cast<double>(ceil_div(blocks, block_parts) * kFloatBlock);
    const auto depth = static_cast<double>(desc.depth());
    const double cost =
        part_pixels * part_blocks * depth / kMultiplyAdds + (4 * part_blocks * depth + source / pixel_parts) / kBytes;
    if (pixel_parts == 1 || cost < least) {
      least = cost;
      best = {pixel_parts, block_parts};
    }
  }
  return best;
}

FloatPanel float_panel(const ConvDesc& desc, int blocks, const CacheSizes& caches) {
  const FloatLines lines = float_lines(desc);
  const std::int64_t weights = 4 * desc.depth() * kFloatBlock * blocks;
  const std::int64_t tile_source = std::int64_t{8} * lines.rows * desc.c * desc.window.stride_w;
  FloatPanel panel;
  panel.fetch_ahead = weights > caches.l2 / 2;
  const std::int64_t room = panel.fetch_ahead ? caches.l2 / 2 : caches.l1 / 2;
  panel.tiles = std::max<std::int64_t>(1, room / tile_source);
  return panel;
}

int float_ahead_lines(std::int64_t tiles, int vectors) {
  return static_cast<int>(ceil_div(std::int64_t{4} * vectors, std::max<std::int64_t>(tiles, 1)));
}

bool prefer_own_float_conv(const ConvDesc& desc, bool residual) {
  if (desc.depthwise) return false;
  constexpr int kFewPixels = 64, kSomePixels = 196;
  const Window& w = desc.window;
  const int pixels = desc.p() * desc.q();
  if (pixels <= kFewPixels) return true;  // dense layers, too: oneDNN takes their images one by one
  const bool pointwise = w.kernel_h == 1 && w.kernel_w == 1;
  const bool strided = w.stride_h > 1 || w.stride_w > 1;
  return pointwise && (strided || residual || (pixels <= kSomePixels && desc.k >= 4 * desc.c));
}

bool plain_dense_fits(const ConvDesc& desc) {
  return pixel_by_pixel(desc.window) && !desc.depthwise && desc.h == 1 && desc.w == 1 && desc.k % kDenseChannels == 0;
}

bool prefer_plain_dense(const ConvDesc& desc, bool residual) {
  constexpr std::int64_t kNoCache = 32 << 20;
  return plain_dense_fits(desc) && !residual && desc.depth() * desc.k * 4 >= kNoCache;
}

std::int64_t dense_chunk(int n) {
  constexpr std::int64_t kSums = 4096, kLeast = 256;  // below that, rows are too short for the hardware's prefetching
  return std::max(kLeast, kSums / n / kDenseChannels * kDenseChannels);
}

bool winograd_fits(const ConvDesc& desc) {
  const Window& w = desc.window;
  return !desc.depthwise && w.kernel_h == 3 && w.kernel_w == 3 && w.stride_h == 1 && w.stride_w == 1 &&
         desc.c % kFloatLanes == 0 && desc.k % kFloatLanes == 0;
}

bool prefer_winograd(const ConvDesc& desc) { return winograd_fits(desc) && desc.p() * desc.q() >= 14 * 14; }

std::int64_t winograd_chunk(const ConvDesc& desc, const CacheSizes& caches) {
  const std::int64_t tile_bytes = std::int64_t{4} * kWinogradPoints * (desc.c + desc.k);
  const std::int64_t weights = std::int64_t{4} * kWinogradPoints * desc.c * desc.k;
  constexpr std::int64_t kRows = 2 * kHalfRows;
  const std::int64_t fitting = caches.l2 / 2 / tile_bytes / kRows * kRows;
  // Weights that leave the cache are read again for every chunk: that takes a large one.
  return std::max<std::int64_t>(fitting, weights > caches.l2 / 2 ? 8 * kRows : kRows);
}

}  // namespace gpueval::cpu
