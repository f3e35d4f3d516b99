// SPDX-License-Identifier: Apache-2.0
#include "cpu/float32/float_conv.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/threads.h"
#include "cpu/float32/float_plan.h"
#include "cpu/float32/tile.h"
#include "cpu/int8/scratch.h"
#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

std::int64_t padded_h(const ConvDesc& d) { return d.h + d.window.pad.top + d.window.pad.bottom; }
std::int64_t padded_w(const ConvDesc& d) { return d.w + d.window.pad.left + d.window.pad.right; }

}  // namespace

bool own_float_conv_usable() { return vector_isa(best_isa_level()) == Isa::kAvx512Vnni; }

// What one thread computes.
struct FloatConv::Part {
  const std::byte* src = nullptr;  // with the padding
  FloatLines lines;
  std::int64_t first_half = 0, end_half = 0;  // counted over all lines
  int first_block = 0, end_block = 0;
};

FloatConv::FloatConv(const ConvDesc& desc, std::span<const float> weights, std::span<const float> bias, Activation act)
    : desc_(desc),
      lo_(act == Activation::kNone ? -std::numeric_limits<float>::infinity() : 0.0f),
      hi_(act == Activation::kRelu6 ? 6.0f : std::numeric_limits<float>::infinity()),
      blocks_((desc.k + kFloatBlock - 1) / kFloatBlock),
      block_floats_(desc.depth() * kFloatBlock),
      weights_(static_cast<std::size_t>(block_floats_ * blocks_) * sizeof(float)),
      bias_(static_cast<std::size_t>(blocks_ * kFloatBlock)) {
  GPUEVAL_CHECK(!desc.depthwise && std::ssize(weights) == desc.depth() * desc.k, "{} weights for {}", weights.size(),
                to_string(desc));
  std::copy(bias.begin(), bias.end(), bias_.begin());
  auto* packed = weights_.as<float>();
  for (int block = 0; block < blocks_; ++block) {
    const int first = block * kFloatBlock, channels = std::min(kFloatBlock, desc.k - first);
    const int lanes = channels > kFloatLanes ? kFloatBlock : kFloatLanes;
    for (std::int64_t d = 0; d < desc.depth(); ++d) {
      std::copy_n(weights.begin() + d * desc.k + first, channels, packed + block * block_floats_ + d * lanes);
    }
  }
}

const std::byte* FloatConv::padded_source(const std::byte* src, int n) const {
  const Padding& pad = desc_.window.pad;
  if (pad == Padding{}) return src;
  const std::int64_t rows = padded_h(desc_), pixel = std::int64_t{desc_.c} * 4;
  const std::int64_t line = desc_.w * pixel, padded_line = padded_w(desc_) * pixel;
  std::byte* padded = scratch(ScratchSlot::kFloatSource, static_cast<std::size_t>(n * rows * padded_line));
  parallel_for(n * rows, [&](std::int64_t row) {
    const std::int64_t image = row / rows, y = row % rows - pad.top;
    std::byte* dst = padded + row * padded_line;
    if (y < 0 || y >= desc_.h) {
      std::memset(dst, 0, static_cast<std::size_t>(padded_line));
      return;
    }
    std::memset(dst, 0, static_cast<std::size_t>(pad.left * pixel));
    std::memcpy(dst + pad.left * pixel, src + (image * desc_.h + y) * line, static_cast<std::size_t>(line));
    std::memset(dst + pad.left * pixel + line, 0, static_cast<std::size_t>(pad.right * pixel));
  });
  return padded;
}

void FloatConv::run(const FloatConvArgs& args) const {
  GPUEVAL_CHECK(args.n >= 1 && args.n <= desc_.n, "{} images for a batch of {}", args.n, desc_.n);
  ConvDesc desc = desc_;
  desc.n = args.n;
  const Part whole{.src = padded_source(args.src, args.n), .lines = float_lines(desc)};
  const FloatGrid grid = float_grid(desc, threads());
  const FloatLines& lines = whole.lines;
  const std::int64_t unit = lines.flat ? 2 : lines.halves;  // half tiles that stay with one thread
  const std::int64_t halves = lines.lines * lines.halves, units = (halves + unit - 1) / unit;
  parallel_for(grid.pixel_parts * grid.block_parts, [&](std::int64_t task) {
    const std::int64_t pixel_part = task / grid.block_parts, block_part = task % grid.block_parts;
    Part part = whole;
    part.first_half = units * pixel_part / grid.pixel_parts * unit;
    part.end_half = std::min(halves, units * (pixel_part + 1) / grid.pixel_parts * unit);
    part.first_block = static_cast<int>(blocks_ * block_part / grid.block_parts);
    part.end_block = static_cast<int>(blocks_ * (block_part + 1) / grid.block_parts);
    run_part(args, desc, part);
  });
}

void FloatConv::run_part(const FloatConvArgs& args, const ConvDesc& desc, const Part& part) const {
  const FloatLines& lines = part.lines;
  const Window& w = desc.window;
  const std::int64_t pixel_bytes = std::int64_t{desc.c} * 4, line_bytes = padded_w(desc) * pixel_bytes;
  const std::int64_t dst_bytes = std::int64_t{desc.k} * 4;
  const FloatPanel panel = float_panel(desc, part.end_block - part.first_block, cache_sizes());
  FloatTileArgs tile{.src_stride = w.stride_w * pixel_bytes,
                     .runs = w.kernel_h,
                     .run_length = w.kernel_w * desc.c,
                     .run_stride = line_bytes,
                     .dst_stride = dst_bytes,
                     .residual_stride = args.residual != nullptr ? dst_bytes : 0,
                     .lo = lo_,
                     .hi = hi_};
  // Where half tile `index` starts; its number of pixels.
  const auto place = [&](std::int64_t index, int half, std::int64_t channel) {
    const std::int64_t line = index / lines.halves, at = index % lines.halves * lines.rows;
    const std::int64_t x = lines.flat ? at : std::min(at, lines.pixels - lines.rows);
    const std::int64_t image = lines.flat ? 0 : line / desc.p(), y = lines.flat ? 0 : line % desc.p();
    tile.src[half] = part.src + (image * padded_h(desc) + y * w.stride_h) * line_bytes + x * w.stride_w * pixel_bytes;
    const std::int64_t to = (line * lines.pixels + x) * dst_bytes + channel * 4;
    tile.dst[half] = args.dst + to;
    tile.residual[half] = args.residual != nullptr ? args.residual + to : nullptr;
    return static_cast<int>(std::min<std::int64_t>(lines.rows, lines.pixels - x));
  };
  for (std::int64_t first = part.first_half; first < part.end_half; first += 2 * panel.tiles) {
    const std::int64_t end = std::min(part.end_half, first + 2 * panel.tiles);
    for (int block = part.first_block; block < part.end_block; ++block) {
      const int channel = block * kFloatBlock;
      tile.channels = std::min(kFloatBlock, desc.k - channel);
      tile.weights = weights_.as<float>() + block * block_floats_;
      tile.bias = &bias_[static_cast<std::size_t>(channel)];
      const int vectors = tile.channels > kFloatLanes ? 2 : 1;
      const int lines_ahead = float_ahead_lines((end - first + 1) / 2, vectors);
      const float* ahead = block + 1 < part.end_block ? tile.weights + block_floats_ : nullptr;
      for (std::int64_t index = first, count = 0; index < end; ++count) {
        const int rows = place(index, 0, channel);
        const bool pair = index + 1 < end && place(index + 1, 1, channel) == rows;
        const std::int64_t offset = count * (desc.depth() / 4) * lines_ahead * kFloatLanes;
        const bool fetch = panel.fetch_ahead && ahead != nullptr && offset < block_floats_;
        tile.ahead = fetch ? ahead + offset : nullptr;
        tile.ahead_lines = fetch ? lines_ahead : 0;
        kFloatTilesAvx512[vectors - 1][pair ? 1 : 0][rows - 1](tile);
        index += pair ? 2 : 1;
      }
    }
  }
}

}  // namespace gpueval::cpu
