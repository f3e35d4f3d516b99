// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/amx_line.h"

#include <algorithm>

namespace gpueval::cpu {

AmxDepth amx_depth(int channels) {
  AmxDepth depth;
  depth.chunks = (channels + kAmxDepth - 1) / kAmxDepth;
  depth.width = ((channels + depth.chunks - 1) / depth.chunks + 3) / 4 * 4;
  return depth;
}

ConvDesc merge_columns(const ConvDesc& desc) {
  ConvDesc merged = desc;
  Window& window = merged.window;
  window.kernel_w = (desc.window.kernel_w - 1) / desc.window.stride_w + 1;
  window.stride_w = 1;
  window.pad.left = window.pad.right = 0;
  merged.w = desc.q() + window.kernel_w - 1;
  merged.c = desc.c * desc.window.stride_w;
  return merged;
}

AmxLine::AmxLine(const ConvDesc& desc)
    : p_(desc.p()),
      q_(desc.q()),
      stride_h_(desc.window.stride_h),
      stride_w_(desc.window.stride_w),
      dilation_h_(desc.window.dilation_h),
      dilation_w_(desc.window.dilation_w) {
  const Window& window = desc.window;
  phases_h_ = std::min(window.stride_h, window.reach_h());
  phases_w_ = std::min(window.stride_w, window.reach_w());
  height_ = p_ + (window.reach_h() - 1) / stride_h_;
  width_ = q_ + (window.reach_w() - 1) / stride_w_;
  // Channels that do not fill a group of four would be read from the next pixel, at the end from behind the tensor.
  in_place_ = stride_h_ == 1 && stride_w_ == 1 && window.pad == Padding{} && desc.c >= amx_depth(desc.c).width;
  if (dense()) return;
  for (std::int64_t position = 0; position < std::int64_t{p_ - 1} * width_ + q_;) {
    starts_.push_back(position);
    position += kAmxRows;
    if (position % width_ >= q_) position += width_ - position % width_;  // not between rows
  }
}

std::int64_t AmxLine::tap_offset(int r, int s, std::int64_t images) const {
  const int row = r * dilation_h_, column = s * dilation_w_;
  const std::int64_t plane = row % stride_h_ * phases_w_ + column % stride_w_;
  return plane * images * height_ * width_ + std::int64_t{row / stride_h_} * width_ + column / stride_w_;
}

std::int64_t AmxLine::tiles(std::int64_t images) const {
  if (dense()) return (length(images) + kAmxRows - 1) / kAmxRows;
  return images * static_cast<std::int64_t>(starts_.size());
}

int AmxLine::rows(std::int64_t images) const {
  return static_cast<int>(std::min<std::int64_t>(kAmxRows, length(images)));
}

AmxTile AmxLine::tile(std::int64_t index, std::int64_t images) const {
  const std::int64_t count = dense() ? 0 : static_cast<std::int64_t>(starts_.size());
  const std::int64_t image = dense() ? 0 : index / count;
  const std::int64_t first = dense() ? index * kAmxRows : starts_[static_cast<std::size_t>(index % count)];
  const std::int64_t base = image * height_ * width_;
  // The last tile ends with the line: its first rows repeat the tile before and are not stored again.
  const int rows = this->rows(images);
  AmxTile tile;
  tile.start = std::min(base + first, length(images) - rows);
  const int repeated = static_cast<int>(base + first - tile.start);
  std::fill_n(tile.pixel, kAmxRows, std::int64_t{-1});
  std::int64_t p = first / width_, q = first % width_;
  for (int i = repeated; i < rows; ++i) {
    if (dense()) {
      tile.pixel[i] = first + i - repeated;
    } else {
      if (p < p_ && q < q_) tile.pixel[i] = (image * p_ + p) * q_ + q;
      if (++q == width_) ++p, q = 0;
    }
  }
  return tile;
}

bool amx_pays(const ConvDesc& desc) {
  constexpr std::int64_t kFewestPixels = 8;
  if (desc.depthwise || desc.output_pixels() < kFewestPixels) return false;
  // Kernel rows: 7x7 is 2.4 times as fast as on vectors, and 3x3 no faster.
  if (desc.c <= 4 && desc.window.kernel_w > 1 && !desc.window.dilated())
    return desc.depth() > kAmxDepth && desc.k >= 2 * kAmxLanes;
  return desc.c >= 32 || (desc.c >= 16 && desc.window.kernel_h * desc.window.kernel_w > 1);
}

}  // namespace gpueval::cpu
