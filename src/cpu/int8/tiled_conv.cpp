// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/tiled_conv.h"

#include <algorithm>
#include <cstring>

#include "core/round_up.h"
#include "core/threads.h"
#include "cpu/int8/conv_split.h"
#include "cpu/int8/make_epilogue.h"
#include "cpu/int8/packed_weights.h"
#include "cpu/int8/scratch.h"
#include "cpu/int8/tap_table.h"

namespace gpueval::cpu {
namespace {

enum class SourceMode {
  kDirect,  // tiles read the caller's tensor
  kGather,  // 1x1: each task converts its pixels
  kImages,  // whole images converted
  kRows     // whole images converted into rows with borders of padding
};

// Pointers and types of one call, the images [first_image, first_image + images) of it.
struct Call {
  const Int8ConvArgs* args;
  Epilogue epilogue;
  const float* m;
  TapSource source;
  std::int64_t first_pixel = 0, pixels = 0;  // output
};

class TiledConv final : public Int8Conv {
 public:
  TiledConv(const Int8ConvParams& params, const TileSet& tiles, RunShape runs, std::string name);
  void run(const Int8ConvArgs& args) const override;
  const std::string& kernel() const override { return name_; }

 private:
  SourceMode choose_mode(RunShape runs) const;
  std::int64_t scratch_row_bytes() const;
  void fill_padding(std::byte* dst, std::int64_t bytes) const;
  std::int64_t scratch_rows() const { return mode_ == SourceMode::kRows ? bordered_h_ : desc_.h; }
  TapSource direct_source(const Int8ConvArgs& args) const;
  TapSource converted_source(const Int8ConvArgs& args, int first_image, int images) const;
  void convert_row(const std::byte* src, std::int64_t pixel_bytes, int row, std::byte* dst) const;
  void convert_pixels(const std::byte* src, std::int64_t src_bytes, std::int64_t count, std::byte* dst) const;
  const std::byte** fill_table(const Call& call, std::int64_t first, std::int64_t count) const;
  // Padding that is read as another number than 0 counts in the sums: then all rows.
  bool leaves_out_rows(const TapSource& source, std::int64_t first, std::int64_t count) const {
    const Padding& pad = source.window.pad;
    return padding_.data()[0] == 0 && pad.top + pad.bottom > 0 && meets_zero_rows(source, first, count);
  }
  std::int64_t tap_bytes(const ChannelBlock& block) const {
    return std::int64_t{depth_.groups} * tiles_.group * tiles_.element_bytes * block.vectors * tiles_.lanes;
  }
  ConvSplit split(std::int64_t pixels) const;
  void run_task(const Call& call, const ConvSplit& split, std::int64_t task) const;
  void run_block(const Call& call, const ChannelBlock& block, const std::byte* const* table, std::int64_t first,
                 std::int64_t count) const;

  std::string name_;
  ConvDesc desc_;
  DType src_type_;
  const TileSet& tiles_;
  ConvertFn convert_;
  SourceMode mode_;
  DepthShape depth_;
  PackedWeights packed_;
  Epilogue epilogue_;
  std::int64_t dst_bytes_;        // of one element
  std::int64_t converted_pitch_;  // bytes from pixel to pixel of the converted source
  int bordered_h_ = 0, bordered_w_ = 0;
  AlignedArray<std::uint8_t> padding_;  // one tap, converted: the source's zero point
};

TiledConv::TiledConv(const Int8ConvParams& params, const TileSet& tiles, RunShape runs, std::string name)
    : name_(std::move(name)),
      desc_(params.desc),
      src_type_(params.src),
      tiles_(tiles),
      convert_(params.src == DType::kS8 ? tiles.convert_s8 : tiles.convert_u8),
      mode_(choose_mode(runs)),
      depth_(depth_shape(params.desc, tiles, runs == RunShape::kKernelRow)),
      dst_bytes_(static_cast<std::int64_t>(size_of(params.dst))) {
  // Blocks whose weights miss L2 are read from memory for every tile: better fewer channels and more rows.
  const std::int64_t lane_bytes = std::int64_t{depth_.taps} * depth_.groups * tiles.group * tiles.element_bytes;
  const bool deep = lane_bytes * tiles.lanes * tiles.max_vectors > cache_sizes().l2 / 2;
  packed_ = pack_weights(params, tiles, depth_, deep ? std::min(2, tiles.max_vectors) : tiles.max_vectors);
  epilogue_ = make_epilogue(params);
  const std::int64_t channels = runs == RunShape::kKernelRow ? desc_.c : round_up(desc_.c, tiles.group);
  converted_pitch_ = channels * tiles.element_bytes;
  const Window& window = desc_.window;
  bordered_h_ = (desc_.p() - 1) * window.stride_h + window.kernel_h;
  bordered_w_ = (desc_.q() - 1) * window.stride_w + window.kernel_w;
  const std::vector<std::uint8_t> tap(static_cast<std::size_t>(depth_.groups * tiles.group),
                                      static_cast<std::uint8_t>(params.src_zero_point));
  padding_ = AlignedArray<std::uint8_t>(tap.size() * static_cast<std::size_t>(tiles.element_bytes));
  convert_(reinterpret_cast<const std::byte*>(tap.data()), reinterpret_cast<std::byte*>(padding_.data()),
           std::ssize(tap));
}

void TiledConv::fill_padding(std::byte* dst, std::int64_t bytes) const {
  const auto element = static_cast<std::size_t>(tiles_.element_bytes);
  if (element == 1) {
    std::memset(dst, padding_.data()[0], static_cast<std::size_t>(bytes));
    return;
  }
  for (std::byte* at = dst; at < dst + bytes; at += element) std::memcpy(at, padding_.data(), element);
}

SourceMode TiledConv::choose_mode(RunShape runs) const {
  if (runs == RunShape::kKernelRow) return SourceMode::kRows;
  if (tiles_.element_bytes == 1 && src_type_ == DType::kU8 && desc_.c % tiles_.group == 0) return SourceMode::kDirect;
  const Window& window = desc_.window;
  const bool pointwise = window.kernel_h == 1 && window.kernel_w == 1 && window.pad == Padding{};
  return pointwise ? SourceMode::kGather : SourceMode::kImages;
}

std::int64_t TiledConv::scratch_row_bytes() const {
  if (mode_ != SourceMode::kRows) return desc_.w * converted_pitch_;
  return round_up(bordered_w_ * converted_pitch_ + tiles_.group * tiles_.element_bytes, 64);
}

// `count` pixels of the caller's tensor into scratch; what fills up a group of channels meets weights of 0.
void TiledConv::convert_pixels(const std::byte* src, std::int64_t src_bytes, std::int64_t count, std::byte* dst) const {
  const std::int64_t used = std::int64_t{desc_.c} * tiles_.element_bytes;
  if (src_bytes == desc_.c && used == converted_pitch_) {
    convert_(src, dst, count * desc_.c);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    std::byte* pixel = dst + i * converted_pitch_;
    convert_(src + i * src_bytes, pixel, desc_.c);
    fill_padding(pixel + used, converted_pitch_ - used);
  }
}

// One scratch row; `row` counts from the top border in bordered rows. `src` is the image.
void TiledConv::convert_row(const std::byte* src, std::int64_t pixel_bytes, int row, std::byte* dst) const {
  const std::int64_t row_bytes = pixel_bytes * desc_.w;
  if (mode_ == SourceMode::kImages) {
    convert_pixels(src + row * row_bytes, pixel_bytes, desc_.w, dst);
    return;
  }
  const int h = row - desc_.window.pad.top;
  const int left = desc_.window.pad.left;
  const int inside = h >= 0 && h < desc_.h ? std::clamp(bordered_w_ - left, 0, desc_.w) : 0;
  const std::int64_t begin = inside > 0 ? left * converted_pitch_ : 0;
  const std::int64_t end = begin + inside * converted_pitch_;
  fill_padding(dst, begin);
  if (inside > 0) convert_pixels(src + h * row_bytes, pixel_bytes, inside, dst + begin);
  fill_padding(dst + end, scratch_row_bytes() - end);
}

TapSource TiledConv::direct_source(const Int8ConvArgs& args) const {
  TapSource source;
  source.data = static_cast<const std::byte*>(args.src);
  source.pixel_bytes = args.src_pitch;
  source.row_bytes = args.src_pitch * desc_.w;
  source.image_bytes = source.row_bytes * desc_.h;
  source.h = desc_.h;
  source.w = desc_.w;
  source.window = desc_.window;
  source.p = desc_.p();
  source.q = desc_.q();
  source.padding = reinterpret_cast<const std::byte*>(padding_.data());
  return source;
}

TapSource TiledConv::converted_source(const Int8ConvArgs& args, int first_image, int images) const {
  TapSource source = direct_source(args);
  const std::byte* src = source.data + first_image * source.image_bytes;
  const std::int64_t src_image_bytes = source.image_bytes;
  source.pixel_bytes = converted_pitch_;
  source.row_bytes = scratch_row_bytes();
  source.image_bytes = source.row_bytes * scratch_rows();
  if (mode_ == SourceMode::kRows) {
    source.h = bordered_h_;
    source.w = bordered_w_;
    source.window.kernel_w = 1;
    source.window.pad = {};
  }
  std::byte* dst = scratch(ScratchSlot::kSource, static_cast<std::size_t>(source.image_bytes * images));
  source.data = dst;
  const std::int64_t rows = scratch_rows();
  parallel_for(images * rows, [&](std::int64_t task) {
    convert_row(src + task / rows * src_image_bytes, args.src_pitch, static_cast<int>(task % rows),
                dst + task * source.row_bytes);
  });
  return source;
}

ConvSplit TiledConv::split(std::int64_t pixels) const {
  const Window& window = desc_.window;
  ConvWork work;
  work.pixels = pixels;
  work.blocks = static_cast<int>(packed_.blocks.size());
  work.rows = tiles_.rows[packed_.blocks.front().vectors];
  work.taps = depth_.taps;
  work.pixel_bytes =
      converted_pitch_ * std::min(window.stride_h, window.kernel_h) * std::min(window.stride_w, window.kernel_w);
  work.block_bytes = packed_.block_bytes;
  work.threads = threads();
  return split_conv(work, cache_sizes());
}

const std::byte** TiledConv::fill_table(const Call& call, std::int64_t first, std::int64_t count) const {
  auto** table = reinterpret_cast<const std::byte**>(
      scratch(ScratchSlot::kTable, static_cast<std::size_t>(depth_.taps * count) * sizeof(const std::byte*)));
  fill_tap_table(call.source, first, count, count, table);
  if (mode_ != SourceMode::kGather) return table;
  std::byte* gathered = scratch(ScratchSlot::kGather, static_cast<std::size_t>(count * converted_pitch_));
  for (std::int64_t i = 0; i < count; ++i) {
    // Neighbours in memory are converted in one go.
    std::int64_t run = 1;
    while (i + run < count && table[i + run] == table[i] + run * call.source.pixel_bytes) ++run;
    convert_pixels(table[i], call.source.pixel_bytes, run, gathered + i * converted_pitch_);
    for (const std::int64_t end = i + run; i < end; ++i) table[i] = gathered + i * converted_pitch_;
    --i;
  }
  return table;
}

void TiledConv::run_block(const Call& call, const ChannelBlock& block, const std::byte* const* table,
                          std::int64_t first, std::int64_t count) const {
  TileArgs tile;
  tile.tap_stride = count;
  tile.groups = depth_.groups;
  tile.start = packed_.start.data() + block.lane_offset;
  tile.m = call.m + block.lane_offset;
  tile.b = packed_.b.data() + block.lane_offset;
  tile.channels = block.channels;
  tile.dst_pitch = call.args->dst_pitch * dst_bytes_;
  tile.residual_pitch = call.args->residual_pitch;
  tile.epilogue = &call.epilogue;
  tile.tap_count = depth_.taps;
  tile.weights = packed_.weights.data() + block.weight_offset;
  const bool some_rows = leaves_out_rows(call.source, first, count);
  const int most = tiles_.rows[block.vectors];
  const std::int64_t tiles = (count + most - 1) / most;
  std::int64_t begin = 0;
  for (std::int64_t i = 0; i < tiles; ++i) {  // as equal as possible: no lone rows at the end
    const std::int64_t end = count * (i + 1) / tiles;
    const std::int64_t pixel = call.first_pixel + first + begin;
    tile.taps = table + begin;
    if (some_rows) {
      const KernelRows rows = real_kernel_rows(call.source, first + begin, end - begin);
      const int tap = rows.begin * call.source.window.kernel_w;
      tile.tap_count = (rows.end - rows.begin) * call.source.window.kernel_w;
      tile.taps += tap * count;
      tile.weights = packed_.weights.data() + block.weight_offset + tap * tap_bytes(block);
    }
    tile.dst = static_cast<std::byte*>(call.args->dst) + pixel * tile.dst_pitch + block.first * dst_bytes_;
    if (call.epilogue.residual != Residual::kNone) {
      tile.residual = static_cast<const std::byte*>(call.args->residual) + pixel * tile.residual_pitch + block.first;
    }
    tiles_.fn[block.vectors][end - begin](tile);
    begin = end;
  }
}

void TiledConv::run_task(const Call& call, const ConvSplit& split, std::int64_t task) const {
  const int group = static_cast<int>(task / split.pixel_blocks);
  const std::int64_t first = task % split.pixel_blocks * split.pixel_block;
  const std::int64_t count = std::min(split.pixel_block, call.pixels - first);
  const std::byte* const* table = fill_table(call, first, count);
  const int blocks = static_cast<int>(packed_.blocks.size());
  for (int i = split.group_begin(group, blocks); i < split.group_begin(group + 1, blocks); ++i) {
    run_block(call, packed_.blocks[static_cast<std::size_t>(i)], table, first, count);
  }
}

void TiledConv::run(const Int8ConvArgs& args) const {
  Call call{.args = &args, .epilogue = epilogue_, .m = packed_.m.data(), .source = {}};
  if (args.scale) {
    call.epilogue = with_dynamic_scale(epilogue_);
    call.m = dynamic_scales(packed_.m.size(), *args.scale);
  }
  const bool convert = mode_ == SourceMode::kImages || mode_ == SourceMode::kRows;
  // Converted images should still be in cache when they are read.
  const std::int64_t image_bytes = scratch_row_bytes() * scratch_rows();
  const std::int64_t fitting =
      std::max<std::int64_t>(1, cache_sizes().l2 * threads() / std::max<std::int64_t>(1, image_bytes));
  const int chunk = convert ? static_cast<int>(std::min<std::int64_t>(args.n, fitting)) : args.n;
  const std::int64_t image_pixels = std::int64_t{desc_.p()} * desc_.q();
  for (int image = 0; image < args.n; image += chunk) {
    const int images = std::min(chunk, args.n - image);
    call.source = convert ? converted_source(args, image, images) : direct_source(args);
    call.first_pixel = image * image_pixels;
    call.pixels = images * image_pixels;
    const ConvSplit split = this->split(call.pixels);
    parallel_for(split.tasks(), [&](std::int64_t task) { run_task(call, split, task); });
  }
}

}  // namespace

std::unique_ptr<Int8Conv> make_tiled_conv(const Int8ConvParams& params, const TileSet& tiles, RunShape runs,
                                          const std::string& name) {
  return std::make_unique<TiledConv>(params, tiles, runs, name);
}

}  // namespace gpueval::cpu
