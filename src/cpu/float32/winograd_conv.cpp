// SPDX-License-Identifier: Apache-2.0
#include "cpu/float32/winograd_conv.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/threads.h"
#include "cpu/float32/float_plan.h"
#include "cpu/float32/tile.h"
#include "cpu/float32/winograd_tile.h"
#include "cpu/int8/scratch.h"
#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
struct WeightRow {
  double factors[3];
  constexpr double operator[](int i) const { return factors[i]; }
};
// G's row of a point whose pair is not +-other.
constexpr WeightRow weight_row(double point, double other) {
  const double square = point * point, scale = 1 / (2 * square * (square - other * other));
  return {{scale, scale * point, scale * square}};
}
constexpr double kSmall = kWinogradSmall, kLarge = kWinogradLarge;
constexpr WeightRow kG[kWinogradIn] = {{{1 / (kSmall * kSmall * kLarge * kLarge), 0, 0}},
                                       weight_row(kSmall, kLarge),
                                       weight_row(-kSmall, kLarge),
                                       weight_row(kLarge, kSmall),
                                       weight_row(-kLarge, kSmall),
                                       {{0, 0, 1}}};
constexpr std::array<float, kFloatBlock> kNoBias{};

}  // namespace

// Tiles that go through the three phases together.
struct WinogradConv::Chunk {
  std::int64_t first = 0, tiles = 0;  // counted over all images
  float *source = nullptr, *sums = nullptr;
  // A line between the points, so that they do not fall into the same sets of a cache.
  std::int64_t source_stride = 0, sums_stride = 0;

  Chunk(const ConvDesc& d, std::int64_t first_tile, std::int64_t end_tile)
      : first(first_tile),
        tiles(end_tile - first_tile),
        source_stride(tiles * d.c + kFloatLanes),
        sums_stride(tiles * d.k + kFloatLanes) {
    const auto bytes = [](std::int64_t stride) {
      return static_cast<std::size_t>(kWinogradPoints * stride) * sizeof(float);
    };
    source = reinterpret_cast<float*>(scratch(ScratchSlot::kFloatSource, bytes(source_stride)));
    sums = reinterpret_cast<float*>(scratch(ScratchSlot::kFloatSums, bytes(sums_stride)));
  }
};

WinogradConv::WinogradConv(const ConvDesc& desc, std::span<const float> weights, std::span<const float> bias,
                           Activation act)
    : desc_(desc),
      lo_(act == Activation::kNone ? -kInfinity : 0.0f),
      hi_(act == Activation::kRelu6 ? 6.0f : kInfinity),
      grid_(desc.p(), desc.q()),
      blocks_(ceil_div(desc.k, kFloatBlock)),
      block_floats_(std::int64_t{desc.c} * kFloatBlock),
      chunk_tiles_(winograd_chunk(desc, cache_sizes())),
      weights_(static_cast<std::size_t>(kWinogradPoints * blocks_ * block_floats_) * sizeof(float)),
      bias_(static_cast<std::size_t>(desc.k)) {
  GPUEVAL_CHECK(winograd_fits(desc) && std::ssize(weights) == desc.depth() * desc.k, "{} weights for {}",
                weights.size(), to_string(desc));
  std::copy(bias.begin(), bias.end(), bias_.begin());
  pack(weights);
}

// G g G' of every pair of channels.
void WinogradConv::pack(std::span<const float> weights) {
  auto* packed = weights_.as<float>();
  parallel_for(desc_.c, [&](std::int64_t c) {
    for (int k = 0; k < desc_.k; ++k) {
      double half[kWinogradIn][3] = {};
      for (int i = 0; i < kWinogradIn; ++i) {
        for (int s = 0; s < 3; ++s) {
          for (int r = 0; r < 3; ++r) {
            half[i][s] += kG[i][r] * static_cast<double>(
                                         weights[static_cast<std::size_t>(((r * 3 + s) * desc_.c + c) * desc_.k + k)]);
          }
        }
      }
      const int block = k / kFloatBlock;
      const int lanes = desc_.k - block * kFloatBlock > kFloatLanes ? kFloatBlock : kFloatLanes;
      float* to = packed + block * block_floats_ + c * lanes + k % kFloatBlock;
      for (int i = 0; i < kWinogradIn; ++i) {
        for (int j = 0; j < kWinogradIn; ++j, to += blocks_ * block_floats_) {
          *to = static_cast<float>(half[i][0] * kG[j][0] + half[i][1] * kG[j][1] + half[i][2] * kG[j][2]);
        }
      }
    }
  });
}

void WinogradConv::run(const FloatConvArgs& args) const {
  GPUEVAL_CHECK(args.n >= 1 && args.n <= desc_.n, "{} images for a batch of {}", args.n, desc_.n);
  const std::int64_t tiles = grid_.tiles(args.n), products = kWinogradPoints * blocks_;
  const std::int64_t parts = threads();
  if (tiles >= parts * chunk_tiles_) {  // each thread takes chunks of its own
    const std::int64_t chunks = ceil_div(tiles, parts * chunk_tiles_) * parts;
    parallel_for(chunks, [&](std::int64_t i) {
      const Chunk chunk(desc_, tiles * i / chunks, tiles * (i + 1) / chunks);
      transform_input(args, chunk, 0, chunk.tiles);
      multiply(chunk, 0, products);
      transform_output(args, chunk, 0, chunk.tiles);
    });
    return;
  }
  const Chunk chunk(desc_, 0, tiles);  // few tiles: all threads share them, and read the weights once
  const auto share = [parts](std::int64_t count, auto&& fn) {
    parallel_for(parts, [&](std::int64_t i) { fn(count * i / parts, count * (i + 1) / parts); });
  };
  share(tiles, [&](std::int64_t first, std::int64_t end) { transform_input(args, chunk, first, end); });
  share(products, [&](std::int64_t first, std::int64_t end) { multiply(chunk, first, end); });
  share(tiles, [&](std::int64_t first, std::int64_t end) { transform_output(args, chunk, first, end); });
}

void WinogradConv::transform_input(const FloatConvArgs& args, const Chunk& chunk, std::int64_t first,
                                   std::int64_t end) const {
  const auto* src = reinterpret_cast<const float*>(args.src);
  for (std::int64_t i = first; i < end; ++i) {
    const WinogradTile tile = grid_.at(chunk.first + i);
    winograd_input_avx512({.image = src + tile.image * desc_.h * desc_.w * desc_.c,
                           .h = desc_.h,
                           .w = desc_.w,
                           .channels = desc_.c,
                           .y = tile.y - desc_.window.pad.top,
                           .x = tile.x - desc_.window.pad.left,
                           .points = chunk.source + i * desc_.c,
                           .point_stride = chunk.source_stride});
  }
}

// For every point and block of output channels: sums = source * weights, tiles x source channels x output channels.
void WinogradConv::multiply(const Chunk& chunk, std::int64_t first, std::int64_t end) const {
  const std::int64_t pixel_bytes = std::int64_t{desc_.c} * 4, sum_bytes = std::int64_t{desc_.k} * 4;
  FloatTileArgs tile{.src_stride = pixel_bytes,
                     .runs = 1,
                     .run_length = desc_.c,
                     .bias = kNoBias.data(),
                     .dst_stride = sum_bytes,
                     .lo = -kInfinity,
                     .hi = kInfinity};
  for (std::int64_t product = first; product < end; ++product) {
    const std::int64_t point = product / blocks_, block = product % blocks_;
    const int channel = static_cast<int>(block) * kFloatBlock;
    tile.channels = std::min(kFloatBlock, desc_.k - channel);
    tile.weights = weights_.as<float>() + product * block_floats_;
    const int vectors = tile.channels > kFloatLanes ? 2 : 1;
    const int lines_ahead = float_ahead_lines(ceil_div(chunk.tiles, 2 * kHalfRows), vectors);
    const auto* src = reinterpret_cast<const std::byte*>(chunk.source + point * chunk.source_stride);
    auto* dst = reinterpret_cast<std::byte*>(chunk.sums + point * chunk.sums_stride + channel);
    const auto run = [&](std::int64_t at, int halves, int rows, std::int64_t offset) {
      for (int half = 0; half < halves; ++half) {
        tile.src[half] = src + (at + half * rows) * pixel_bytes;
        tile.dst[half] = dst + (at + half * rows) * sum_bytes;
      }
      const bool fetch = product + 1 < end && offset < block_floats_;
      tile.ahead = fetch ? tile.weights + block_floats_ + offset : nullptr;
      tile.ahead_lines = fetch ? lines_ahead : 0;
      kFloatTilesAvx512[vectors - 1][halves - 1][rows - 1](tile);
    };
    const std::int64_t ahead_floats = std::int64_t{desc_.c / 4} * lines_ahead * kFloatLanes;
    std::int64_t at = 0, offset = 0;
    for (; at + 2 * kHalfRows <= chunk.tiles; at += 2 * kHalfRows, offset += ahead_floats)
      run(at, 2, kHalfRows, offset);
    const int left = static_cast<int>(chunk.tiles - at);
    if (left > 1) run(at, 2, left / 2, offset);
    if (left % 2 == 1) run(chunk.tiles - 1, 1, 1, block_floats_);
  }
}

void WinogradConv::transform_output(const FloatConvArgs& args, const Chunk& chunk, std::int64_t first,
                                    std::int64_t end) const {
  const std::int64_t image_floats = std::int64_t{desc_.p()} * desc_.q() * desc_.k;
  auto* dst = reinterpret_cast<float*>(args.dst);
  const auto* residual = reinterpret_cast<const float*>(args.residual);
  for (std::int64_t i = first; i < end; ++i) {
    const WinogradTile tile = grid_.at(chunk.first + i);
    winograd_output_avx512({.points = chunk.sums + i * desc_.k,
                            .point_stride = chunk.sums_stride,
                            .bias = bias_.data(),
                            .image = dst + tile.image * image_floats,
                            .residual = residual != nullptr ? residual + tile.image * image_floats : nullptr,
                            .p = desc_.p(),
                            .q = desc_.q(),
                            .channels = desc_.k,
                            .y = tile.y,
                            .x = tile.x,
                            .lo = lo_,
                            .hi = hi_});
  }
}

}  // namespace gpueval::cpu
