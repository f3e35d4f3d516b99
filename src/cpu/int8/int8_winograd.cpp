// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/int8_winograd.h"

#include <algorithm>

#include "core/round_up.h"
#include "core/threads.h"
#include "cpu/int8/isa.h"
#include "cpu/int8/make_epilogue.h"
#include "cpu/int8/scratch.h"
#include "cpu/int8/winograd_weights.h"
#include "cpu/winograd_grid.h"

namespace gpueval::cpu {
namespace {

class Int8Winograd final : public Int8Conv {
 public:
  Int8Winograd(const Int8ConvParams& params, const WinogradSet& set, std::string name);
  void run(const Int8ConvArgs& args) const override;
  const std::string& kernel() const override { return name_; }

 private:
  // One call.
  struct Call {
    const Int8ConvArgs* args;
    Epilogue epilogue;
    const float* m;
  };
  // Tiles that go through the steps together, counted over all images.
  struct Chunk {
    std::int64_t first = 0, tiles = 0;
    std::int16_t* source = nullptr;
    std::int64_t source_stride = 0;
  };
  std::int64_t fitting_tiles() const;
  Chunk chunk(std::int64_t first, std::int64_t end) const;
  void transform(const Call& call, const Chunk& chunk, std::int64_t first, std::int64_t end) const;
  void multiply(const Call& call, const Chunk& chunk, const ChannelBlock& block, std::int64_t first,
                std::int64_t end) const;
  void write(const Call& call, const ChannelBlock& block, const WinogradTile& tile, const std::int32_t* sums,
             std::int64_t point_stride) const;

  std::string name_;
  ConvDesc desc_;
  const WinogradSet& set_;
  void (*source_)(const WinogradSource& args);
  std::byte padding_;
  WinogradGrid grid_;
  std::int64_t source_pitch_, dst_bytes_;
  WinogradWeights weights_;
  AlignedArray<float> m_, b_;
  Epilogue epilogue_;
  std::int64_t chunk_tiles_;
};

Int8Winograd::Int8Winograd(const Int8ConvParams& params, const WinogradSet& set, std::string name)
    : name_(std::move(name)),
      desc_(params.desc),
      set_(set),
      source_(params.src == DType::kU8 ? set.source_u8 : set.source_s8),
      padding_(static_cast<std::byte>(params.src_zero_point)),
      grid_(desc_.p(), desc_.q()),
      source_pitch_(std::max(round_up(desc_.c, kWinogradStep), set.depth)),
      dst_bytes_(static_cast<std::int64_t>(size_of(params.dst))),
      weights_(pack_winograd(params, set)),
      m_(static_cast<std::size_t>(round_up(desc_.k, set.lanes))),
      b_(m_.size()),
      epilogue_(make_epilogue(params)),
      chunk_tiles_(fitting_tiles()) {
  std::copy(params.m.begin(), params.m.end(), m_.data());
  std::copy(params.b.begin(), params.b.end(), b_.data());
}

// Tiles of which source and sums stay in a core's own cache. Weights that leave it are read again for every chunk: that
// takes a large one.
std::int64_t Int8Winograd::fitting_tiles() const {
  const std::int64_t l2 = cache_sizes().l2, lanes = std::int64_t{weights_.blocks.front().vectors} * set_.lanes;
  const std::int64_t tile_bytes = kWinogradPoints * (2 * source_pitch_ + 4 * lanes);
  const bool large = static_cast<std::int64_t>(weights_.data.size()) * 2 > l2 / 2;
  return std::max<std::int64_t>(l2 / 2 / tile_bytes, large ? 48 : 12);
}

Int8Winograd::Chunk Int8Winograd::chunk(std::int64_t first, std::int64_t end) const {
  Chunk chunk{.first = first, .tiles = end - first};
  // A line between the points, so that they do not fall into the same sets of a cache.
  chunk.source_stride = chunk.tiles * source_pitch_ + 32;
  chunk.source = reinterpret_cast<std::int16_t*>(
      scratch(ScratchSlot::kSource, static_cast<std::size_t>(kWinogradPoints * chunk.source_stride) * 2));
  return chunk;
}

void Int8Winograd::transform(const Call& call, const Chunk& chunk, std::int64_t first, std::int64_t end) const {
  WinogradSource source{.row_bytes = desc_.w * call.args->src_pitch,
                        .pixel_bytes = call.args->src_pitch,
                        .h = desc_.h,
                        .w = desc_.w,
                        .channels = desc_.c,
                        .padding = padding_,
                        .point_stride = chunk.source_stride};
  for (std::int64_t i = first; i < end; ++i) {
    const WinogradTile tile = grid_.at(chunk.first + i);
    source.image = static_cast<const std::byte*>(call.args->src) + tile.image * desc_.h * source.row_bytes;
    source.y = tile.y - desc_.window.pad.top;
    source.x = tile.x - desc_.window.pad.left;
    source.points = chunk.source + i * source_pitch_;
    source_(source);
  }
}

// The outputs of tiles first to end of a block of channels.
void Int8Winograd::multiply(const Call& call, const Chunk& chunk, const ChannelBlock& block, std::int64_t first,
                            std::int64_t end) const {
  const std::int64_t lanes = std::int64_t{block.vectors} * set_.lanes, point_stride = (end - first) * lanes + 16;
  const auto values = static_cast<std::size_t>(std::ssize(weights_.parts) * kWinogradPoints * point_stride);
  auto* all = reinterpret_cast<std::int32_t*>(scratch(ScratchSlot::kSums, values * sizeof(std::int32_t)));
  std::int32_t* sums = all;
  const std::int16_t* weights = weights_.data.data() + block.weight_offset;
  for (const DepthPart& part : weights_.parts) {
    for (int point = 0; point < kWinogradPoints; ++point) {
      set_.product[block.vectors](
          {.source = chunk.source + point * chunk.source_stride + first * source_pitch_ + part.first,
           .source_pitch = source_pitch_,
           .tiles = static_cast<int>(end - first),
           .depth = part.depth,
           .weights = weights,
           .sums = sums});
      weights += part.depth * lanes;
      sums += point_stride;
    }
  }
  for (std::int64_t i = first; i < end; ++i)
    write(call, block, grid_.at(chunk.first + i), all + (i - first) * lanes, point_stride);
}

void Int8Winograd::write(const Call& call, const ChannelBlock& block, const WinogradTile& tile,
                         const std::int32_t* sums, std::int64_t point_stride) const {
  const std::int64_t pixel = (tile.image * desc_.p() + tile.y) * desc_.q() + tile.x;
  WinogradOutputs out{.sums = sums,
                      .point_stride = point_stride,
                      .parts = static_cast<int>(weights_.parts.size()),
                      .part_stride = kWinogradPoints * point_stride,
                      .rows = std::min(kWinogradOut, desc_.p() - tile.y),
                      .columns = std::min(kWinogradOut, desc_.q() - tile.x),
                      .channels = block.channels,
                      .m = call.m + block.lane_offset,
                      .b = b_.data() + block.lane_offset,
                      .dst_pixel = call.args->dst_pitch * dst_bytes_,
                      .residual_pixel = call.args->residual_pitch,
                      .epilogue = &call.epilogue};
  out.dst_row = out.dst_pixel * desc_.q();
  out.dst = static_cast<std::byte*>(call.args->dst) + pixel * out.dst_pixel + block.first * dst_bytes_;
  if (call.epilogue.residual != Residual::kNone) {
    out.residual_row = out.residual_pixel * desc_.q();
    out.residual = static_cast<const std::byte*>(call.args->residual) + pixel * out.residual_pixel + block.first;
  }
  set_.outputs(out);
}

void Int8Winograd::run(const Int8ConvArgs& args) const {
  Call call{.args = &args, .epilogue = epilogue_, .m = m_.data()};
  if (args.scale) {
    call.epilogue = with_dynamic_scale(epilogue_);
    call.m = dynamic_scales(m_.size(), *args.scale);
  }
  const std::int64_t tiles = grid_.tiles(args.n), workers = threads();
  if (tiles >= workers * chunk_tiles_) {  // each thread takes chunks of its own
    const std::int64_t chunks = ceil_div(tiles, workers * chunk_tiles_) * workers;
    parallel_for(chunks, [&](std::int64_t i) {
      const Chunk own = chunk(tiles * i / chunks, tiles * (i + 1) / chunks);
      transform(call, own, 0, own.tiles);
      for (const ChannelBlock& block : weights_.blocks) multiply(call, own, block, 0, own.tiles);
    });
    return;
  }
  const Chunk all = chunk(0, tiles);  // few tiles: all threads share them, and read the weights once
  parallel_for(workers, [&](std::int64_t i) { transform(call, all, tiles * i / workers, tiles * (i + 1) / workers); });
  const std::int64_t blocks = std::ssize(weights_.blocks),
                     shares = blocks % workers == 0 ? 1 : ceil_div(workers, blocks);
  parallel_for(blocks * shares, [&](std::int64_t i) {
    const std::int64_t share = i % shares;
    multiply(call, all, weights_.blocks[static_cast<std::size_t>(i / shares)], tiles * share / shares,
             tiles * (share + 1) / shares);
  });
}

}  // namespace

bool int8_winograd_fits(const ConvDesc& d) {
  constexpr int kAlwaysFit = 112;  // channels of one part: 112 * 9 * 127 * 255 < kWinogradBound
  const Window& w = d.window;
  return !d.depthwise && w.kernel_h == 3 && w.kernel_w == 3 && w.stride_h == 1 && w.stride_w == 1 && !w.dilated() &&
         d.c <= kWinogradParts * kAlwaysFit;
}

// In cycles of a core for a pair of a source and an output channel. The weights come from beyond its own caches.
bool int8_winograd_pays(const ConvDesc& d, Isa isa) {
  constexpr double kGain = 0.95, kWeightBytes = 2.0 * kWinogradPoints, kBytesPerCycle = 6;
  const bool wide = isa == Isa::kAvx512Vnni, vnni = wide || isa == Isa::kAvxVnni;
  // Multiply-adds of bytes and of 16-bit numbers, and what a tile's transforms take for a channel: measured.
  const double direct_rate = wide ? 64 : vnni ? 32 : 24, rate = wide ? 32 : vnni ? 16 : 18, transforms = wide ? 10 : 20;
  const auto tiles = static_cast<double>(WinogradGrid(d.p(), d.q()).tiles(d.n));
  const double direct = 9 * static_cast<double>(d.output_pixels()) / direct_rate;
  const double winograd = tiles * (kWinogradPoints / rate + transforms / d.c + transforms / d.k);
  return d.c >= 32 && d.k >= 16 && winograd + kWeightBytes / kBytesPerCycle < kGain * direct;
}

std::unique_ptr<Int8Conv> make_int8_winograd(const Int8ConvParams& params, const WinogradSet& set,
                                             const std::string& name) {
  return std::make_unique<Int8Winograd>(params, set, name);
}

}  // namespace gpueval::cpu
