// SPDX-License-Identifier: Apache-2.0
// Operations that move elements and compute nothing.
#include <algorithm>
#include <array>
#include <utility>

#include "graph/op_row.h"

namespace gpueval {

Shape output_shape(const Concat& op, const Node& self, std::span<const Shape> src) {
  GPUEVAL_CHECK(!src.empty(), "'{}' joins nothing", self.name);
  const auto extent = [&](Shape& shape) -> int& {
    return op.axis == Axis::kH ? shape.h : op.axis == Axis::kW ? shape.w : shape.c;
  };
  Shape out = src[0];
  extent(out) = 0;
  for (const Shape& in : src) {
    Shape rest = in;
    const int joined = std::exchange(extent(rest), extent(out));
    GPUEVAL_CHECK(rest == out, "'{}' joins {} and {}", self.name, to_string(in), to_string(src[0]));
    extent(out) += joined;
  }
  return out;
}

Shape output_shape(const ZeroPad& op, const Node&, std::span<const Shape> src) {
  return {1, src[0].h + op.pad.top + op.pad.bottom, src[0].w + op.pad.left + op.pad.right, src[0].c};
}

Shape output_shape(const Flatten&, const Node&, std::span<const Shape> src) {
  return {1, 1, 1, static_cast<int>(src[0].elements())};
}

Shape output_shape(const Slice& op, const Node& self, std::span<const Shape> src) {
  const auto check = [&](int begin, int step, int size, int extent) {
    const int last = begin + step * (size - 1);
    GPUEVAL_CHECK(size > 0 && step != 0 && std::min(begin, last) >= 0 && std::max(begin, last) < extent,
                  "'{}' takes {} from {} by {} of {}", self.name, size, begin, step, extent);
  };
  check(op.begin.h, op.step.h, op.size.h, src[0].h);
  check(op.begin.w, op.step.w, op.size.w, src[0].w);
  check(op.begin.c, op.step.c, op.size.c, src[0].c);
  return {1, op.size.h, op.size.w, op.size.c};
}

Shape output_shape(const Reshape& op, const Node& self, std::span<const Shape> src) {
  const Shape out{1, op.size.h, op.size.w, op.size.c};
  GPUEVAL_CHECK(out.elements() == src[0].elements(), "'{}' makes {} of {}", self.name, to_string(out),
                to_string(src[0]));
  return out;
}

Shape output_shape(const Permute& op, const Node& self, std::span<const Shape> src) {
  const std::array<int, 3> extents{src[0].h, src[0].w, src[0].c};
  std::array<int, 3> order{op.order.h, op.order.w, op.order.c};
  std::sort(order.begin(), order.end());
  GPUEVAL_CHECK((order == std::array<int, 3>{0, 1, 2}), "'{}' orders ({}, {}, {})", self.name, op.order.h, op.order.w,
                op.order.c);
  const auto extent = [&](int i) { return extents.at(static_cast<std::size_t>(i)); };
  return {1, extent(op.order.h), extent(op.order.w), extent(op.order.c)};
}

Shape output_shape(const DepthToSpace& op, const Node& self, std::span<const Shape> src) {
  const int block = op.block_h * op.block_w;
  GPUEVAL_CHECK(block > 0 && src[0].c % block == 0, "'{}': {} channels, blocks of {}", self.name, src[0].c, block);
  return {1, src[0].h * op.block_h - op.crop.top - op.crop.bottom, src[0].w * op.block_w - op.crop.left - op.crop.right,
          src[0].c / block};
}

Shape output_shape(const SpaceToBatch& op, const Node& self, std::span<const Shape> src) {
  GPUEVAL_CHECK(op.rate_h > 0 && op.rate_w > 0 && op.gap >= 0, "'{}': rates {}x{}, gap {}", self.name, op.rate_h,
                op.rate_w, op.gap);
  const auto rows = [](int extent, int rate) { return (extent + rate - 1) / rate; };
  const int h = rows(src[0].h + op.pad.top + op.pad.bottom, op.rate_h);
  return {1, op.rate_h * op.rate_w * (h + op.gap), rows(src[0].w + op.pad.left + op.pad.right, op.rate_w), src[0].c};
}

Shape output_shape(const BatchToSpace& op, const Node& self, std::span<const Shape> src) {
  GPUEVAL_CHECK(op.h > 0 && op.w > 0 && op.rate_h > 0 && op.rate_w > 0 && op.gap >= 0, "'{}': {}x{}, rates {}x{}",
                self.name, op.h, op.w, op.rate_h, op.rate_w);
  const int h = (op.h + op.rate_h - 1) / op.rate_h, w = (op.w + op.rate_w - 1) / op.rate_w;
  const int last = op.rate_h * op.rate_w - 1;  // its end need not be there
  GPUEVAL_CHECK(src[0].h >= last * (h + op.gap) + h && src[0].w >= w,
                "'{}' wants {} pictures of {}x{}, {} apart, of {}", self.name, last + 1, h, w, op.gap,
                to_string(src[0]));
  return {1, op.h, op.w, src[0].c};
}

namespace {

Shape resized(int h, int w, const Node& self, const Shape& src) {
  GPUEVAL_CHECK(h > 0 && w > 0, "'{}' resizes to {}x{}", self.name, h, w);
  return {1, h, w, src.c};
}

}  // namespace

Shape output_shape(const ResizeNearest& op, const Node& self, std::span<const Shape> src) {
  return resized(op.h, op.w, self, src[0]);
}
Shape output_shape(const ResizeLinear& op, const Node& self, std::span<const Shape> src) {
  return resized(op.h, op.w, self, src[0]);
}

}  // namespace gpueval
