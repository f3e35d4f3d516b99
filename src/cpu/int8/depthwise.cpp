// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/depthwise.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "core/round_up.h"
#include "core/threads.h"
#include "cpu/int8/aligned_array.h"
#include "cpu/int8/make_epilogue.h"
#include "cpu/int8/scratch.h"

namespace gpueval::cpu {
namespace {

struct PackedDepthwise {
  AlignedBuffer weights;
  std::int64_t block_bytes = 0;
  AlignedArray<std::int32_t> start;
  AlignedArray<float> m, b;
};

// Packs `lanes` lanes (whole blocks); lane l of the block-by-block order holds channel `channel % period`, and none if
// that is not below desc.c. period = lanes for the usual order, desc.c to repeat the channels.
PackedDepthwise pack(const Int8ConvParams& params, const DepthwiseSet& set, int lanes, int period) {
  const ConvDesc& desc = params.desc;
  const int kernel_h = desc.window.kernel_h, kernel_w = desc.window.kernel_w;
  const int column = set.by_column ? round_up(kernel_h, set.group) : kernel_h;
  const int groups = ceil_div(column * kernel_w, set.group);
  PackedDepthwise packed;
  packed.block_bytes = std::int64_t{groups} * set.group * set.block * set.element_bytes;
  packed.weights = AlignedBuffer(static_cast<std::size_t>(packed.block_bytes * (lanes / set.block)));
  packed.start = AlignedArray<std::int32_t>(static_cast<std::size_t>(lanes));
  packed.m = AlignedArray<float>(static_cast<std::size_t>(lanes));
  packed.b = AlignedArray<float>(static_cast<std::size_t>(lanes));
  for (int i = 0; i < lanes; ++i) {
    const int block = i / set.block, lane = i % set.block;
    const auto channel = [&](int in_block) { return (block * set.block + in_block) % period; };
    const int c = channel(set.weight_channel(lane));
    std::int32_t sum = 0;
    for (int t = 0; c < desc.c && t < kernel_h * kernel_w; ++t) {
      const int r = t % kernel_h, s = t / kernel_h;  // down the columns
      const std::int8_t value = params.weights[static_cast<std::size_t>((r * kernel_w + s) * desc.c + c)];
      sum += value;
      const int slot = s * column + r;
      std::byte* at = packed.weights.data() + block * packed.block_bytes +
                      ((slot / set.group * set.block + lane) * set.group + slot % set.group) * set.element_bytes;
      const std::int16_t wide = value;  // little-endian hosts: the low byte comes first
      std::memcpy(at, set.element_bytes == 1 ? static_cast<const void*>(&value) : &wide,
                  static_cast<std::size_t>(set.element_bytes));
    }
    const auto at = static_cast<std::size_t>(i);
    if (set.biased && params.src == DType::kS8 && c < desc.c) packed.start[at] = -128 * sum;
    const int constant = set.shuffled ? c : channel(lane);
    if (constant >= desc.c) continue;
    packed.m[at] = params.m[static_cast<std::size_t>(constant)];
    packed.b[at] = params.b[static_cast<std::size_t>(constant)];
  }
  return packed;
}

class Depthwise final : public Int8Conv {
 public:
  Depthwise(const Int8ConvParams& params, const DepthwiseSet& set, std::string name);
  void run(const Int8ConvArgs& args) const override;
  const std::string& kernel() const override { return name_; }

 private:
  void run_row(const Int8ConvArgs& args, DepthwiseRow row, bool flat, int image, int p, int first_block,
               int last_block) const;
  void run_columns(DepthwiseRow row, std::span<const std::byte*> rows, bool flat) const;
  void run_kernel(const DepthwiseRow& row, bool flat) const;
  bool pairs() const {
    return set_.row_pair != nullptr && desc_.window.kernel_h == 3 && desc_.window.kernel_w == 3 &&
           desc_.window.stride_h == 1 && desc_.window.stride_w == 1 && epilogue_.residual == Residual::kNone &&
           epilogue_.out != Out::kF32;
  }

  std::string name_;
  ConvDesc desc_;
  DType src_type_;
  std::uint8_t pad_;
  const DepthwiseSet& set_;
  Epilogue epilogue_;
  int dst_bytes_;
  PackedDepthwise packed_, flat_;
  bool flat_possible_ = false;
};

Depthwise::Depthwise(const Int8ConvParams& params, const DepthwiseSet& set, std::string name)
    : name_(std::move(name)),
      desc_(params.desc),
      src_type_(params.src),
      pad_(static_cast<std::uint8_t>(params.src_zero_point)),
      set_(set) {
  epilogue_ = make_epilogue(params);
  dst_bytes_ = static_cast<int>(size_of(params.dst));
  const int lanes = round_up(desc_.c, set.block);
  packed_ = pack(params, set, lanes, lanes);
  const Window& window = desc_.window;
  const bool stride1 = set.flat_row != nullptr && window.stride_w == 1 && !window.dilated();
  const bool stride2 = set.flat_row_stride2 != nullptr && window.stride_w == 2 && window.kernel_h == 3 &&
                       window.kernel_w == 3 && desc_.c % 8 == 0;
  flat_possible_ = (stride1 || stride2) && 2 * desc_.c <= set.block && set.block % desc_.c == 0;
  if (flat_possible_) flat_ = pack(params, set, set.block, desc_.c);
}

// Channel blocks [first_block, last_block) of output row p, and of the one dilation_h behind it if the kernel takes
// two.
void Depthwise::run_row(const Int8ConvArgs& args, DepthwiseRow row, bool flat, int image, int p, int first_block,
                        int last_block) const {
  constexpr int kFewRows = 16;
  const std::byte* few[kFewRows];
  std::vector<const std::byte*> many;
  const Window& window = desc_.window;
  const std::byte** rows = few;
  const int source_rows = window.kernel_h + (pairs() ? 1 : 0);
  if (source_rows > kFewRows) {
    many.resize(static_cast<std::size_t>(source_rows));
    rows = many.data();
  }
  const int top = p * window.stride_h - window.pad.top;
  const int c0 = first_block * set_.block;
  const std::int64_t row_bytes = args.src_pitch * desc_.w;
  for (int r = 0; r < source_rows; ++r) {
    const int h = top + r * window.dilation_h;
    rows[r] = h >= 0 && h < desc_.h
                  ? static_cast<const std::byte*>(args.src) + (std::int64_t{image} * desc_.h + h) * row_bytes + c0
                  : nullptr;
  }
  const std::int64_t first_pixel = (std::int64_t{image} * desc_.p() + p) * row.q;
  row.rows = rows;
  row.channels = std::min(desc_.c, last_block * set_.block) - c0;
  row.weights += first_block * (flat ? flat_ : packed_).block_bytes;
  row.start += c0;
  row.m += c0;
  row.b += c0;
  row.dst = static_cast<std::byte*>(args.dst) + first_pixel * row.dst_pitch + c0 * dst_bytes_;
  if (epilogue_.residual != Residual::kNone) {
    row.residual = static_cast<const std::byte*>(args.residual) + first_pixel * row.residual_pitch + c0;
  }
  if (pairs()) {
    row.output_rows = p + window.dilation_h < desc_.p() ? 2 : 1;
    row.dst_row_bytes = row.dst_pitch * row.q * window.dilation_h;
  }
  run_columns(row, {rows, static_cast<std::size_t>(source_rows)}, flat);
}

// rows: what row.rows points at.
void Depthwise::run_columns(DepthwiseRow row, std::span<const std::byte*> rows, bool flat) const {
  const int step = desc_.window.dilation_w;
  if (step == 1) {
    run_kernel(row, flat);
    return;
  }
  const DepthwiseRow whole = row;
  row.pixel_bytes *= step;
  row.dst_pitch *= step;
  row.residual_pitch *= step;
  int at = 0;  // the source column that `rows` point at
  for (int first = 0; first < std::min(step, whole.q); ++first) {
    const int left = first - whole.pad_left;  // of output column `first`: its first source column
    row.pad_left = left < 0 ? ceil_div(-left, step) : 0;
    const int column = left + row.pad_left * step;
    for (const std::byte*& source : rows) {
      if (source != nullptr) source += (column - at) * whole.pixel_bytes;
    }
    at = column;
    row.w = ceil_div(std::max(whole.w - column, 0), step);
    row.q = ceil_div(whole.q - first, step);
    row.dst = whole.dst + first * whole.dst_pitch;
    if (whole.residual != nullptr) row.residual = whole.residual + first * whole.residual_pitch;
    run_kernel(row, flat);
  }
}

void Depthwise::run_kernel(const DepthwiseRow& row, bool flat) const {
  if (pairs()) {
    (flat ? set_.flat_row_pair : set_.row_pair)(row);
  } else if (flat) {
    (row.stride_w == 2 ? set_.flat_row_stride2 : set_.flat_row)(row);
  } else {
    set_.row(row);
  }
}

void Depthwise::run(const Int8ConvArgs& args) const {
  const Window& window = desc_.window;
  const bool flat = flat_possible_ && args.src_pitch == desc_.c && args.dst_pitch == desc_.c &&
                    (epilogue_.residual == Residual::kNone || args.residual_pitch == desc_.c);
  const PackedDepthwise& packed = flat ? flat_ : packed_;
  DepthwiseRow row;
  row.pixel_bytes = args.src_pitch;
  row.w = desc_.w;
  row.q = desc_.q();
  row.kernel_h = window.kernel_h;
  row.kernel_w = window.kernel_w;
  row.stride_w = window.stride_w;
  row.pad_left = window.pad.left;
  row.src_s8 = src_type_ == DType::kS8;
  row.pad = pad_;
  row.weights = packed.weights.data();
  row.start = packed.start.data();
  row.m = packed.m.data();
  row.b = packed.b.data();
  row.dst_pitch = args.dst_pitch * dst_bytes_;
  row.residual_pitch = args.residual_pitch;
  row.epilogue = &epilogue_;
  const Epilogue dynamic = with_dynamic_scale(epilogue_);
  if (args.scale) {
    row.epilogue = &dynamic;
    row.m = dynamic_scales(packed.m.size(), *args.scale);
  }
  // Few rows (small maps, batch 1): cut the channels as well, so that all threads have the same to do.
  const int step = pairs() ? window.dilation_h : 0;  // from one row of a task to its other one
  const int image_rows = step > 0 ? desc_.p() / (2 * step) * step + std::min(desc_.p() % (2 * step), step) : desc_.p();
  const std::int64_t rows = std::int64_t{args.n} * image_rows;
  const int blocks = flat ? 1 : ceil_div(desc_.c, set_.block);
  const int groups = rows >= 16 * threads() ? 1 : std::min(blocks, threads());
  parallel_for(rows * groups, [&](std::int64_t task) {
    const int group = static_cast<int>(task / rows);
    const auto image = static_cast<int>(task % rows / image_rows);
    const int index = static_cast<int>(task % rows % image_rows), p = step > 0 ? index / step * step + index : index;
    run_row(args, row, flat, image, p, group * blocks / groups, (group + 1) * blocks / groups);
  });
}

}  // namespace

std::unique_ptr<Int8Conv> make_depthwise(const Int8ConvParams& params, const DepthwiseSet& set,
                                         const std::string& name) {
  return std::make_unique<Depthwise>(params, set, name);
}

}  // namespace gpueval::cpu
