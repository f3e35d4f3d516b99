// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/elementwise.h"

#include <algorithm>
#include <cstring>

#include "cpu/broadcast.h"
#include "cpu/element_runs.h"
#include "cpu/int8/ops_set.h"
#include "gpueval/error.h"

namespace gpueval::cpu {
namespace {

constexpr std::int64_t kRepeated = 512;  // copies of a channel that is repeated

int flip_of(DType type) { return type == DType::kS8 ? 0x80 : 0; }
float least(DType type) { return type == DType::kS8 ? -127.0f : 0.0f; }
float most(DType type) { return type == DType::kS8 ? 127.0f : 255.0f; }

const std::byte* pixel_of(const QuantView& view, std::int64_t pixel) {
  return static_cast<const std::byte*>(view.data) + pixel * view.pitch;
}
std::byte* pixel_in(const QuantView& view, std::int64_t pixel) {
  return static_cast<std::byte*>(view.data) + pixel * view.pitch;
}

// One source of a pair: its bytes for a run of channels of a pixel.
class Operand {
 public:
  Operand(const QuantView& view, const Shape& result)
      : view_(view), place_(view.shape, result), repeats_(view.shape.c == 1 && result.c > 1) {}
  void go_to(std::int64_t pixel) {
    at_ = pixel_of(view_, place_.pixel(pixel));
    if (repeats_) std::memset(copies_, static_cast<int>(*at_), sizeof copies_);
  }
  const std::byte* channels(std::int64_t first) const { return repeats_ ? copies_ : at_ + first; }
  bool repeats() const { return repeats_; }

 private:
  const QuantView& view_;
  Broadcast place_;
  bool repeats_;
  const std::byte* at_ = nullptr;
  std::byte copies_[kRepeated];
};

bool is_dense(const QuantView& view) { return view.pitch == view.shape.c; }

}  // namespace

void lookup(const QuantView& src, std::span<const std::uint8_t> table, const QuantView& dst) {
  GPUEVAL_CHECK(table.size() == 256, "{} bytes in a table of 256", table.size());
  const auto run = ops_set().lookup;
  for_each_run(src.shape, is_dense(src) && is_dense(dst), [&](std::int64_t pixel, std::int64_t count) {
    run({.src = pixel_of(src, pixel), .table = table.data(), .count = count, .dst = pixel_in(dst, pixel)});
  });
}

void prelu(const QuantView& src, std::span<const float> m, std::span<const float> b, const QuantView& dst) {
  const std::int64_t channels = src.shape.c, pixels = std::ssize(m) / channels;  // that have numbers of their own
  GPUEVAL_CHECK(m.size() == b.size() && (pixels == 1 || pixels == std::int64_t{src.shape.h} * src.shape.w),
                "{} and {} numbers for {}", m.size(), b.size(), to_string(src.shape));
  const auto run = ops_set().prelu;
  for_each_run(src.shape, false, [&](std::int64_t pixel, std::int64_t count) {
    const std::int64_t first = pixel % pixels * channels;
    run({.src = pixel_of(src, pixel),
         .flip = flip_of(src.dtype),
         .m = m.data() + first,
         .b = b.data() + first,
         .count = count,
         .lo = least(dst.dtype),
         .hi = most(dst.dtype),
         .dst = pixel_in(dst, pixel)});
  });
}

void binary(BinaryKind kind, const QuantView& a, float m1, const QuantView& b, float m2, const QuantView& dst) {
  const auto run = ops_set().binary[static_cast<std::size_t>(kind)];
  const PairRun common{.a_flip = flip_of(a.dtype),
                       .b_flip = flip_of(b.dtype),
                       .a_offset = flip_of(a.dtype) + a.zero_point,
                       .b_offset = flip_of(b.dtype) + b.zero_point,
                       .m1 = m1,
                       .m2 = m2,
                       .lo = least(dst.dtype),
                       .hi = most(dst.dtype),
                       .dst_zero = static_cast<float>(dst.zero_point)};
  const bool slabs = a.shape == b.shape && is_dense(a) && is_dense(b) && is_dense(dst);
  for_each_run(dst.shape, slabs, [&](std::int64_t pixel, std::int64_t count) {
    Operand first(a, dst.shape), second(b, dst.shape);
    first.go_to(pixel);
    second.go_to(pixel);
    const std::int64_t step = first.repeats() || second.repeats() ? kRepeated : count;
    for (std::int64_t c = 0; c < count; c += step) {
      PairRun part = common;
      part.a = first.channels(c);
      part.b = second.channels(c);
      part.count = std::min(step, count - c);
      part.dst = pixel_in(dst, pixel) + c;
      run(part);
    }
  });
}

}  // namespace gpueval::cpu
