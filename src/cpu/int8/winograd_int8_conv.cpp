// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/winograd_int8_conv.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/round_up.h"
#include "core/threads.h"
#include "cpu/int8/isa.h"
#include "cpu/int8/make_epilogue.h"
#include "cpu/int8/packed_weights.h"
#include "cpu/int8/scratch.h"

namespace gpueval::cpu {
namespace {

constexpr int kLeastChannels = 16;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// G g in units of 1/24, the last of 1/12.
void weight_line(const int* g, int stride, int* out) {
  const int g0 = g[0], g1 = g[stride], g2 = g[2 * stride];
  out[0] = 6 * g0;
  out[1] = -4 * (g0 + g1 + g2);
  out[2] = -4 * (g0 - g1 + g2);
  out[3] = g0 + 2 * g1 + 4 * g2;
  out[4] = g0 - 2 * g1 + 4 * g2;
  out[5] = 12 * g2;
}

// G g G' of one window; `g`: its 9 weights, `stride` apart.
void weight_points(const std::int8_t* weights, int stride, int (&points)[kWinogradPoints]) {
  int g[9], half[3][kWinogradIn];
  for (int i = 0; i < 9; ++i) g[i] = weights[i * stride];
  for (int i = 0; i < 3; ++i) weight_line(g + i * 3, 1, half[i]);
  for (int j = 0; j < kWinogradIn; ++j) {
    int column[kWinogradIn];
    weight_line(half[0] + j, kWinogradIn, column);
    for (int i = 0; i < kWinogradIn; ++i) points[i * kWinogradIn + j] = column[i];
  }
}

// Source channels [first, first + channels), packed as `depth` of them.
struct DepthPart {
  int first = 0, channels = 0, depth = 0;
};

// What the largest source values could add up to, of either sign, over all source channels of a part.
std::int64_t largest_sum(const Int8ConvParams& params, const DepthPart& part) {
  const std::int64_t least = params.src == DType::kU8 ? 0 : -128, most = params.src == DType::kU8 ? 255 : 127;
  std::int64_t largest = 0;
  for (std::int64_t window = 0; window < params.desc.k; ++window) {
    std::int64_t above = 0, below = 0;
    for (std::int64_t tap = window * 9; tap < window * 9 + 9; ++tap) {
      const std::int8_t* weights = params.weights.data() + tap * params.desc.c + part.first;
      for (int c = 0; c < part.channels; ++c) (weights[c] > 0 ? above : below) += weights[c];
    }
    largest = std::max({largest, above * most + below * least, -(above * least + below * most)});
  }
  return largest;
}

// As few as keep every sum in the range that is exact.
std::vector<DepthPart> depth_parts(const Int8ConvParams& params) {
  constexpr int kStep = 4;
  const int steps = (params.desc.c + kStep - 1) / kStep;
  for (int count = 1;; ++count) {
    std::vector<DepthPart> parts;
    for (int i = 0; i < count; ++i) {
      const int first = steps * i / count * kStep, end = steps * (i + 1) / count * kStep;
      parts.push_back({.first = first, .channels = std::min(end, params.desc.c) - first, .depth = end - first});
    }
    const auto fits = [&](const DepthPart& part) { return largest_sum(params, part) < kWinogradBound; };
    if (std::all_of(parts.begin(), parts.end(), fits)) return parts;
  }
}

class WinogradConv8 final : public Int8Conv {
 public:
  WinogradConv8(const Int8ConvParams& params, const WinogradSet& set, std::string name);
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
  Chunk chunk(std::int64_t first, std::int64_t end) const;
  void pack(const Int8ConvParams& params);
  void transform(const Call& call, const Chunk& chunk, std::int64_t first, std::int64_t end) const;
  void multiply(const Call& call, const Chunk& chunk, const ChannelBlock& block, std::int64_t first,
                std::int64_t end) const;
  void write(const Call& call, const ChannelBlock& block, std::int64_t tile, const std::int32_t* sums,
             std::int64_t point_stride) const;

  std::string name_;
  ConvDesc desc_;
  bool signed_source_;
  std::byte padding_;
  const WinogradSet& set_;
  int tiles_h_, tiles_w_;
  std::int64_t source_pitch_;
  std::vector<DepthPart> parts_;
  std::int64_t dst_bytes_, chunk_tiles_;
  std::vector<ChannelBlock> blocks_;
  AlignedArray<std::int16_t> weights_;  // [block][point][depth / 2][lane][2]
  AlignedArray<float> m_, b_;
  Epilogue epilogue_;
};

std::int64_t tiles_of_chunk(int depth, int lanes, std::int64_t weights) {
  const std::int64_t l2 = cache_sizes().l2, tile = kWinogradPoints * (2 * depth + 4 * lanes);
  // Weights that leave the cache are read again for every chunk: that takes a large one.
  return std::max<std::int64_t>(l2 / 2 / tile, weights > l2 / 2 ? 48 : 12);
}

WinogradConv8::WinogradConv8(const Int8ConvParams& params, const WinogradSet& set, std::string name)
    : name_(std::move(name)),
      desc_(params.desc),
      signed_source_(params.src == DType::kS8),
      padding_(static_cast<std::byte>(params.src_zero_point)),
      set_(set),
      tiles_h_(static_cast<int>(ceil_div(desc_.p(), kWinogradOut))),
      tiles_w_(static_cast<int>(ceil_div(desc_.q(), kWinogradOut))),
      source_pitch_(std::max(round_up(desc_.c, 4), set.depth)),
      parts_(depth_parts(params)),
      dst_bytes_(static_cast<std::int64_t>(size_of(params.dst))),
      blocks_(
          channel_blocks(desc_.k, set.lanes, set.max_vectors, kWinogradPoints * std::int64_t{round_up(desc_.c, 4)})),
      epilogue_(make_epilogue(params)) {
  const ChannelBlock& last = blocks_.back();
  const auto lanes = static_cast<std::size_t>(last.lane_offset + last.vectors * set.lanes);
  weights_ = AlignedArray<std::int16_t>(lanes * static_cast<std::size_t>(kWinogradPoints * round_up(desc_.c, 4)));
  m_ = AlignedArray<float>(lanes);
  b_ = AlignedArray<float>(lanes);
  std::copy(params.m.begin(), params.m.end(), m_.data());
  std::copy(params.b.begin(), params.b.end(), b_.data());
  chunk_tiles_ = tiles_of_chunk(desc_.c, blocks_.front().vectors * set.lanes,
                                static_cast<std::int64_t>(weights_.size() * sizeof(std::int16_t)));
  pack(params);
}

void WinogradConv8::pack(const Int8ConvParams& params) {
  parallel_for(std::ssize(blocks_), [&](std::int64_t index) {
    const ChannelBlock& block = blocks_[static_cast<std::size_t>(index)];
    const std::int64_t lanes = std::int64_t{block.vectors} * set_.lanes;
    for (int lane = 0; lane < block.channels; ++lane) {
      const std::int8_t* window = params.weights.data() + std::int64_t{block.first + lane} * 9 * desc_.c;
      std::int16_t* to = weights_.data() + block.weight_offset + lane * 2;
      for (const DepthPart& part : parts_) {
        for (int c = 0; c < part.channels; ++c) {
          int points[kWinogradPoints];
          weight_points(window + part.first + c, desc_.c, points);
          for (int i = 0; i < kWinogradPoints; ++i)
            to[i * part.depth * lanes + c / 2 * lanes * 2 + c % 2] = static_cast<std::int16_t>(points[i]);
        }
        to += kWinogradPoints * part.depth * lanes;
      }
    }
  });
}

WinogradConv8::Chunk WinogradConv8::chunk(std::int64_t first, std::int64_t end) const {
  Chunk chunk{.first = first, .tiles = end - first};
  // A line between the points, so that they do not fall into the same sets of a cache.
  chunk.source_stride = chunk.tiles * source_pitch_ + 32;
  chunk.source = reinterpret_cast<std::int16_t*>(
      scratch(ScratchSlot::kSource, static_cast<std::size_t>(kWinogradPoints * chunk.source_stride) * 2));
  return chunk;
}

void WinogradConv8::transform(const Call& call, const Chunk& chunk, std::int64_t first, std::int64_t end) const {
  WinogradSource source{.row_bytes = desc_.w * call.args->src_pitch,
                        .pixel_bytes = call.args->src_pitch,
                        .h = desc_.h,
                        .w = desc_.w,
                        .channels = desc_.c,
                        .padding = padding_,
                        .point_stride = chunk.source_stride};
  for (std::int64_t i = first; i < end; ++i) {
    const std::int64_t tile = chunk.first + i, line = tile / tiles_w_;
    source.image = static_cast<const std::byte*>(call.args->src) + line / tiles_h_ * desc_.h * source.row_bytes;
    source.y = static_cast<int>(line % tiles_h_) * kWinogradOut - desc_.window.pad.top;
    source.x = static_cast<int>(tile % tiles_w_) * kWinogradOut - desc_.window.pad.left;
    source.points = chunk.source + i * source_pitch_;
    (signed_source_ ? set_.source_s8 : set_.source_u8)(source);
  }
}

// The outputs of tiles first to end of a block of channels.
void WinogradConv8::multiply(const Call& call, const Chunk& chunk, const ChannelBlock& block, std::int64_t first,
                             std::int64_t end) const {
  const std::int64_t lanes = std::int64_t{block.vectors} * set_.lanes, point_stride = (end - first) * lanes + 16;
  const auto values = static_cast<std::size_t>(std::ssize(parts_) * kWinogradPoints * point_stride);
  auto* all = reinterpret_cast<std::int32_t*>(scratch(ScratchSlot::kSums, values * sizeof(std::int32_t)));
  std::int32_t* sums = all;
  const std::int16_t* weights = weights_.data() + block.weight_offset;
  for (const DepthPart& part : parts_) {
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
    write(call, block, chunk.first + i, all + (i - first) * lanes, point_stride);
}

void WinogradConv8::write(const Call& call, const ChannelBlock& block, std::int64_t tile, const std::int32_t* sums,
                          std::int64_t point_stride) const {
  const std::int64_t line = tile / tiles_w_, image = line / tiles_h_;
  const int y = static_cast<int>(line % tiles_h_) * kWinogradOut, x = static_cast<int>(tile % tiles_w_) * kWinogradOut;
  const std::int64_t pixel = (image * desc_.p() + y) * desc_.q() + x;
  WinogradOutputs out{.sums = sums,
                      .point_stride = point_stride,
                      .parts = static_cast<int>(parts_.size()),
                      .part_stride = kWinogradPoints * point_stride,
                      .rows = std::min(kWinogradOut, desc_.p() - y),
                      .columns = std::min(kWinogradOut, desc_.q() - x),
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

void WinogradConv8::run(const Int8ConvArgs& args) const {
  Call call{.args = &args, .epilogue = epilogue_, .m = m_.data()};
  if (args.scale) {
    call.epilogue = with_dynamic_scale(epilogue_);
    auto* m = reinterpret_cast<float*>(scratch(ScratchSlot::kScale, m_.size() * sizeof(float)));
    std::fill_n(m, m_.size(), *args.scale);
    call.m = m;
  }
  const std::int64_t tiles = std::int64_t{args.n} * tiles_h_ * tiles_w_, parts = threads();
  if (tiles >= parts * chunk_tiles_) {  // each thread takes chunks of its own
    const std::int64_t chunks = ceil_div(tiles, parts * chunk_tiles_) * parts;
    parallel_for(chunks, [&](std::int64_t i) {
      const Chunk own = chunk(tiles * i / chunks, tiles * (i + 1) / chunks);
      transform(call, own, 0, own.tiles);
      for (const ChannelBlock& block : blocks_) multiply(call, own, block, 0, own.tiles);
    });
    return;
  }
  const Chunk all = chunk(0, tiles);  // few tiles: all threads share them, and read the weights once
  parallel_for(parts, [&](std::int64_t i) { transform(call, all, tiles * i / parts, tiles * (i + 1) / parts); });
  const std::int64_t blocks = std::ssize(blocks_), shares = blocks % parts == 0 ? 1 : ceil_div(parts, blocks);
  parallel_for(blocks * shares, [&](std::int64_t i) {
    const std::int64_t share = i % shares;
    multiply(call, all, blocks_[static_cast<std::size_t>(i / shares)], tiles * share / shares,
             tiles * (share + 1) / shares);
  });
}

}  // namespace

bool int8_winograd_fits(const ConvDesc& d) {
  constexpr int kAlwaysFit = 112;  // channels of one part: 112 * 9 * 127 * 255 < kWinogradBound
  const Window& w = d.window;
  return !d.depthwise && d.groups == 1 && w.kernel_h == 3 && w.kernel_w == 3 && w.stride_h == 1 && w.stride_w == 1 &&
         !w.dilated() && d.c <= kWinogradParts * kAlwaysFit;
}

// In cycles of a core for a pair of a source and an output channel. The weights come from beyond its own caches.
bool int8_winograd_pays(const ConvDesc& d, Isa isa) {
  constexpr double kGain = 0.95, kWeightBytes = 2.0 * kWinogradPoints, kBytesPerCycle = 6;
  const bool wide = isa == Isa::kAvx512Vnni, vnni = wide || isa == Isa::kAvxVnni;
  // Multiply-adds of bytes and of 16-bit numbers, and what a tile's transforms take for a channel: measured.
  const double direct_rate = wide ? 64 : vnni ? 32 : 24, rate = wide ? 32 : vnni ? 16 : 18, transforms = wide ? 10 : 20;
  const auto tiles = static_cast<double>(d.n * ceil_div(d.p(), kWinogradOut) * ceil_div(d.q(), kWinogradOut));
  const double direct = 9 * static_cast<double>(d.output_pixels()) / direct_rate;
  const double winograd = tiles * (kWinogradPoints / rate + transforms / d.c + transforms / d.k);
  return d.c >= 2 * kLeastChannels && d.k >= kLeastChannels &&
         winograd + kWeightBytes / kBytesPerCycle < kGain * direct;
}

std::unique_ptr<Int8Conv> make_winograd_conv(const Int8ConvParams& params, const WinogradSet& set,
                                             const std::string& name) {
  return std::make_unique<WinogradConv8>(params, set, name);
}

}  // namespace gpueval::cpu
