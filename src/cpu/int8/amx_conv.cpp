// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include "cpu/int8/amx_conv.h"

#include <algorithm>
#include <cstring>

#include "core/threads.h"
#include "cpu/int8/aligned_array.h"
#include "cpu/int8/amx_block.h"
#include "cpu/int8/amx_line.h"
#include "cpu/int8/conv_split.h"
#include "cpu/int8/make_epilogue.h"
#include "cpu/int8/scratch.h"

namespace gpueval::cpu {
namespace {

constexpr int kBlockPixels = kAmxBlockTiles * kAmxRows;
constexpr int kBlockChannels = kAmxBlockTiles * kAmxLanes;
constexpr int kLineBlocks = 64 / kBlockChannels;  // blocks that fill a cache line of bytes
constexpr double kMacsPerByte = 128;              // of ConvWork

// One call, or some images of it.
struct Call {
  const Int8ConvArgs* args;
  const Epilogue* epilogue;
  const float* m;
  const std::byte* line;  // position 0
  std::int64_t pitch;     // bytes from position to position
  const std::int64_t* offsets;
  std::int64_t first_pixel, images;  // output
};

class AmxConv final : public Int8Conv {
 public:
  AmxConv(const Int8ConvParams& params, RunShape runs, const std::string& name);
  void run(const Int8ConvArgs& args) const override;
  const std::string& kernel() const override { return name_; }

 private:
  void pack(const Int8ConvParams& params);
  void copy_row(const std::byte* image, std::int64_t src_pitch, int plane, int row, std::byte* dst) const;
  const std::byte* copy_images(const Int8ConvArgs& args, int first, int images) const;
  const std::int64_t* fill_offsets(std::int64_t pitch, std::int64_t images) const;
  ConvSplit split(std::int64_t pairs) const;
  std::int64_t position_bytes() const { return merged_ * pixel_bytes_; }  // of a copied line
  int groupable() const { return (blocks_ + kLineBlocks - 1) / kLineBlocks; }
  void run_images(const Call& call) const;
  void set_channels(const Call& call, int index, AmxBlock& block) const;
  void run_task(const Call& call, const AmxTile* tiles, std::int64_t count, int first_block, int end_block) const;

  std::string name_;
  ConvDesc desc_;
  bool is_signed_;
  int padding_;  // what padded taps hold
  Epilogue epilogue_;
  std::int64_t dst_bytes_;  // of one element
  bool kernel_rows_;        // a kernel row is one run of the depth, else every kernel position is
  AmxLine line_;
  int taps_, run_;  // runs, and their length in source elements
  AmxDepth depth_;
  int steps_, blocks_;
  int merged_;                // source pixels of a position of a copied line
  std::int64_t pixel_bytes_;  // of one of them
  std::int64_t weight_bytes_, block_bytes_;
  AlignedBuffer weights_;
  AlignedArray<float> m_, b_;
};

AmxConv::AmxConv(const Int8ConvParams& params, RunShape runs, const std::string& name)
    : name_(name),
      desc_(params.desc),
      is_signed_(params.src == DType::kS8),
      padding_(params.src_zero_point),
      epilogue_(make_epilogue(params)),
      dst_bytes_(static_cast<std::int64_t>(size_of(params.dst))),
      kernel_rows_(runs == RunShape::kKernelRow),
      line_(kernel_rows_ ? merge_columns(params.desc) : params.desc),
      taps_(desc_.window.kernel_h * (kernel_rows_ ? 1 : desc_.window.kernel_w)),
      run_(desc_.c * (kernel_rows_ ? desc_.window.kernel_w : 1)),
      depth_(amx_depth(run_)),
      steps_(taps_ * depth_.chunks),
      blocks_((desc_.k + kBlockChannels - 1) / kBlockChannels),
      merged_(kernel_rows_ ? desc_.window.stride_w : 1),
      pixel_bytes_(kernel_rows_ ? desc_.c : std::max(desc_.c, depth_.width)),
      weight_bytes_(std::int64_t{depth_.width} * kAmxLanes),
      block_bytes_(kAmxBlockTiles * steps_ * weight_bytes_) {
  pack(params);
}

// [block][step][channel tile][depth / 4][16 channels][4]; a last block of up to 16 channels has one channel tile.
void AmxConv::pack(const Int8ConvParams& params) {
  const auto lanes = static_cast<std::size_t>(blocks_) * kBlockChannels;
  weights_ = AlignedBuffer(static_cast<std::size_t>(blocks_ * block_bytes_));
  m_ = AlignedArray<float>(lanes);
  b_ = AlignedArray<float>(lanes);
  std::copy(params.m.begin(), params.m.end(), m_.data());
  std::copy(params.b.begin(), params.b.end(), b_.data());
  parallel_for(blocks_, [&](std::int64_t block) {
    const int first = static_cast<int>(block) * kBlockChannels, channels = std::min(kBlockChannels, desc_.k - first);
    const int cols = channels > kAmxLanes ? 2 : 1;
    for (int k = 0; k < channels; ++k) {
      const std::int8_t* value = params.weights.data() + (first + k) * desc_.depth();
      std::byte* column = weights_.data() + block * block_bytes_ + k / kAmxLanes * weight_bytes_ + k % kAmxLanes * 4;
      for (int t = 0; t < taps_; ++t) {
        for (int c = 0; c < run_; ++c) {
          const int chunk = c / depth_.width, at = c - std::max(0, depth_.start(chunk, std::max(run_, depth_.width)));
          std::byte* tile = column + (t * depth_.chunks + chunk) * cols * weight_bytes_;
          tile[at / 4 * kAmxLanes * 4 + at % 4] = static_cast<std::byte>(*value++);
        }
      }
    }
  });
}

// One row of one phase of an image, with its borders.
void AmxConv::copy_row(const std::byte* image, std::int64_t src_pitch, int plane, int row, std::byte* dst) const {
  const Window& window = desc_.window;
  const int width = line_.width() * merged_, step = window.stride_w / merged_;
  const int h = row * window.stride_h + plane / line_.phases_w() - window.pad.top;
  const int column = plane % line_.phases_w() - window.pad.left;  // source column of dst pixel 0
  int inside = 0, end = 0;
  if (h >= 0 && h < desc_.h) {
    inside = std::min(width, column < 0 ? (-column + step - 1) / step : 0);
    end = std::clamp((desc_.w - column + step - 1) / step, inside, width);
  }
  const auto pitch = static_cast<std::size_t>(pixel_bytes_), channels = static_cast<std::size_t>(desc_.c);
  std::memset(dst, padding_, static_cast<std::size_t>(inside) * pitch);
  const std::byte* src = image + (std::int64_t{h} * desc_.w + column + inside * step) * src_pitch;
  std::byte* at = dst + inside * pixel_bytes_;
  if (step == 1 && src_pitch == pixel_bytes_ && channels == pitch && end > inside) {
    std::memcpy(at, src, static_cast<std::size_t>(end - inside) * pitch);
  } else {
    for (int i = inside; i < end; ++i, at += pitch, src += src_pitch * step) {
      std::memcpy(at, src, channels);
      if (channels < pitch) std::memset(at + channels, 0, pitch - channels);
    }
  }
  std::memset(dst + end * pixel_bytes_, padding_, static_cast<std::size_t>(width - end) * pitch);
}

// Order: phase, image, row.
const std::byte* AmxConv::copy_images(const Int8ConvArgs& args, int first, int images) const {
  const std::int64_t row_bytes = line_.width() * position_bytes(), rows = std::int64_t{images} * line_.height();
  // A kernel row that fills no depth step is read on into what follows, where its weights are zeros.
  std::byte* dst =
      scratch(ScratchSlot::kSource, static_cast<std::size_t>(line_.planes() * rows * row_bytes) + kAmxDepth);
  // The thread that copies a row most likely reads it: all its phases.
  parallel_for(rows, [&](std::int64_t row) {
    const std::int64_t image = first + row / line_.height();
    const auto* src = static_cast<const std::byte*>(args.src) + image * desc_.h * desc_.w * args.src_pitch;
    for (int plane = 0; plane < line_.planes(); ++plane) {
      copy_row(src, args.src_pitch, plane, static_cast<int>(row % line_.height()),
               dst + (plane * rows + row) * row_bytes);
    }
  });
  return dst;
}

const std::int64_t* AmxConv::fill_offsets(std::int64_t pitch, std::int64_t images) const {
  auto* offsets = reinterpret_cast<std::int64_t*>(
      scratch(ScratchSlot::kOffsets, static_cast<std::size_t>(steps_) * sizeof(std::int64_t)));
  std::int64_t* at = offsets;
  for (int r = 0; r < desc_.window.kernel_h; ++r) {
    for (int s = 0; s < taps_ / desc_.window.kernel_h; ++s) {
      for (int chunk = 0; chunk < depth_.chunks; ++chunk) {
        const int start = std::max(0, depth_.start(chunk, run_));
        *at++ = line_.tap_offset(r, s, images) * pitch + start;
      }
    }
  }
  return offsets;
}

ConvSplit AmxConv::split(std::int64_t pairs) const {
  ConvWork work;
  work.pixels = pairs * kBlockPixels;
  // Threads that write halves of a cache line take it from each other: groups of whole lines.
  work.blocks = groupable();
  work.rows = kBlockPixels;
  work.macs_per_byte = kMacsPerByte;
  work.pixel_bytes = position_bytes() * line_.planes();
  work.block_bytes = kLineBlocks * block_bytes_;
  work.threads = threads();
  return split_conv(work, cache_sizes());
}

void AmxConv::run_task(const Call& call, const AmxTile* tiles, std::int64_t count, int first_block,
                       int end_block) const {
  AmxBlock common;
  common.rows = line_.rows(call.images);
  common.src_pitch = call.pitch;
  common.offsets = call.offsets;
  common.steps = steps_;
  common.is_signed = is_signed_;
  common.weight_bytes = weight_bytes_;
  common.dst_pitch = call.args->dst_pitch * dst_bytes_;
  common.residual_pitch = call.args->residual_pitch;
  common.epilogue = call.epilogue;
  AmxBlock blocks[2] = {common, common};  // one is multiplied, the other stored
  std::byte* sums = scratch(ScratchSlot::kSums, 2 * kAmxSumBytes);
  blocks[0].sums = sums;
  blocks[1].sums = sums + kAmxSumBytes;
  // Weights of a block that outgrow L1 are read from L2 for every pair of tiles: then the pixels at least should stay.
  const bool pixels_stay = block_bytes_ > cache_sizes().l1 / 2;
  const std::int64_t pairs = (count + kAmxBlockTiles - 1) / kAmxBlockTiles, channels = end_block - first_block;
  const AmxBlock* before = nullptr;
  for (std::int64_t i = 0; i < pairs * channels; ++i) {
    const std::int64_t t = kAmxBlockTiles * (pixels_stay ? i / channels : i % pairs);
    AmxBlock& block = blocks[i % 2];
    set_channels(call, first_block + static_cast<int>(pixels_stay ? i % channels : i / pairs), block);
    block.tiles = static_cast<int>(std::min<std::int64_t>(kAmxBlockTiles, count - t));
    for (int j = 0; j < block.tiles; ++j) {
      block.src[j] = call.line + tiles[t + j].start * call.pitch;
      block.pixel[j] = tiles[t + j].pixel;
    }
    amx_multiply(block, before);
    before = &block;
  }
  if (before != nullptr) amx_store(*before);
}

void AmxConv::set_channels(const Call& call, int index, AmxBlock& block) const {
  const int channel = index * kBlockChannels;
  block.weights = weights_.data() + index * block_bytes_;
  block.m = call.m + channel;
  block.b = b_.data() + channel;
  block.channels = std::min(kBlockChannels, desc_.k - channel);
  block.dst = static_cast<std::byte*>(call.args->dst) + call.first_pixel * block.dst_pitch + channel * dst_bytes_;
  if (epilogue_.residual != Residual::kNone) {
    block.residual =
        static_cast<const std::byte*>(call.args->residual) + call.first_pixel * block.residual_pitch + channel;
  }
}

void AmxConv::run_images(const Call& call) const {
  AmxConfig config;
  const int rows = line_.rows(call.images);
  for (int i = 0; i < 8; ++i) {
    config.rows[i] = static_cast<std::uint8_t>(i < 6 ? rows : depth_.width / 4);
    config.row_bytes[i] = static_cast<std::uint16_t>(i == 4 || i == 5 ? depth_.width : 64);
  }
  const std::int64_t tiles = line_.tiles(call.images), pairs = (tiles + kAmxBlockTiles - 1) / kAmxBlockTiles;
  const ConvSplit split = this->split(pairs);
  parallel_for(split.tasks(), [&](std::int64_t task) {
    const int group = static_cast<int>(task / split.pixel_blocks);
    const std::int64_t part = task % split.pixel_blocks;
    const std::int64_t first = pairs * part / split.pixel_blocks * kAmxBlockTiles;
    const std::int64_t end = std::min(tiles, pairs * (part + 1) / split.pixel_blocks * kAmxBlockTiles);
    auto* table = reinterpret_cast<AmxTile*>(
        scratch(ScratchSlot::kTable, static_cast<std::size_t>(end - first) * sizeof(AmxTile)));
    for (std::int64_t t = first; t < end; ++t) table[t - first] = line_.tile(t, call.images);
    amx_configure(config);
    run_task(call, table, end - first, kLineBlocks * split.group_begin(group, groupable()),
             std::min(blocks_, kLineBlocks * split.group_begin(group + 1, groupable())));
    amx_release();
  });
}

void AmxConv::run(const Int8ConvArgs& args) const {
  Call call{.args = &args,
            .epilogue = &epilogue_,
            .m = m_.data(),
            .line = static_cast<const std::byte*>(args.src),
            .pitch = args.src_pitch,
            .offsets = nullptr,
            .first_pixel = 0,
            .images = args.n};
  const Epilogue dynamic = with_dynamic_scale(epilogue_);
  if (args.scale) {
    call.epilogue = &dynamic;
    call.m = dynamic_scales(m_.size(), *args.scale);
  }
  if (line_.in_place() && !kernel_rows_) {
    call.offsets = fill_offsets(call.pitch, call.images);
    run_images(call);
    return;
  }
  // Copied images should still be in cache when they are read.
  const std::int64_t image_bytes = std::int64_t{line_.planes()} * line_.height() * line_.width() * position_bytes();
  const std::int64_t fitting = std::max<std::int64_t>(1, cache_sizes().l2 * threads() / image_bytes);
  const int chunk = static_cast<int>(std::min<std::int64_t>(args.n, fitting));
  call.pitch = position_bytes();
  for (int image = 0; image < args.n; image += chunk) {
    const int images = std::min(chunk, args.n - image);
    call.line = copy_images(args, image, images);
    call.offsets = fill_offsets(call.pitch, images);
    call.first_pixel = std::int64_t{image} * desc_.p() * desc_.q();
    call.images = images;
    run_images(call);
  }
}

}  // namespace

std::unique_ptr<Int8Conv> make_amx_conv(const Int8ConvParams& params, RunShape runs, const std::string& name) {
  return std::make_unique<AmxConv>(params, runs, name);
}

}  // namespace gpueval::cpu
#endif
