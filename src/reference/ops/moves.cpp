// SPDX-License-Identifier: Apache-2.0
// Operations of which every element of the result is one of the source's, or zero.
#include <array>
#include <functional>

#include "reference/op_reference.h"
#include "reference/resize.h"

namespace gpueval::reference {
namespace {

// The element of the source that element (y, x, k) of the result is; -1: zero.
using From = std::function<std::int64_t(int y, int x, int k)>;

std::int64_t index(const Shape& src, int h, int w, int c) { return (std::int64_t{h} * src.w + w) * src.c + c; }

From from(const Slice& op, const Shape& src, const Shape&) {
  return [=](int y, int x, int k) {
    return index(src, op.begin.h + y * op.step.h, op.begin.w + x * op.step.w, op.begin.c + k * op.step.c);
  };
}

From from(const Reshape&, const Shape&, const Shape& dst) {
  return [=](int y, int x, int k) { return index(dst, y, x, k); };
}

From from(const Permute& op, const Shape& src, const Shape&) {
  return [=](int y, int x, int k) {
    std::array<int, 3> at{};
    at.at(static_cast<std::size_t>(op.order.h)) = y;
    at.at(static_cast<std::size_t>(op.order.w)) = x;
    at.at(static_cast<std::size_t>(op.order.c)) = k;
    return index(src, at[0], at[1], at[2]);
  };
}

From from(const DepthToSpace& op, const Shape& src, const Shape& dst) {
  return [=](int y, int x, int k) {
    const int row = y + op.crop.top, column = x + op.crop.left;
    const int pixel = row % op.block_h * op.block_w + column % op.block_w;
    return index(src, row / op.block_h, column / op.block_w, pixel * dst.c + k);
  };
}

From from(const SpaceToBatch& op, const Shape& src, const Shape& dst) {
  const int distance = dst.h / (op.rate_h * op.rate_w), rows = distance - op.gap;
  return [=](int y, int x, int k) -> std::int64_t {
    const int picture = y / distance, row = y % distance;
    const int h = row * op.rate_h + picture / op.rate_w - op.pad.top;
    const int w = x * op.rate_w + picture % op.rate_w - op.pad.left;
    const bool real = row < rows && h >= 0 && h < src.h && w >= 0 && w < src.w;
    return real ? index(src, h, w, k) : -1;
  };
}

From from(const BatchToSpace& op, const Shape& src, const Shape&) {
  const int distance = (op.h + op.rate_h - 1) / op.rate_h + op.gap;
  return [=](int y, int x, int k) {
    const int picture = y % op.rate_h * op.rate_w + x % op.rate_w;
    return index(src, picture * distance + y / op.rate_h, x / op.rate_w, k);
  };
}

From from(const ResizeNearest& op, const Shape& src, const Shape&) {
  return [=](int y, int x, int k) {
    return index(src, nearest(op.grid, y, src.h, op.h), nearest(op.grid, x, src.w, op.w), k);
  };
}

// Calls move(from, to) for every element of the result, in order.
template <typename Move>
void for_each_element(const Shape& dst, const From& source, Move&& move) {
  std::int64_t to = 0;
  for (int y = 0; y < dst.h; ++y) {
    for (int x = 0; x < dst.w; ++x) {
      for (int k = 0; k < dst.c; ++k) move(source(y, x, k), to++);
    }
  }
}

template <typename T>
FloatTensor moved(const T& op, const FloatCall& call) {
  const FloatTensor& src = call.source();
  FloatTensor dst{call.node().shape, {}};
  for_each_element(dst.shape, from(op, src.shape, dst.shape), [&](std::int64_t source, std::int64_t) {
    dst.values.push_back(source < 0 ? 0.0f : src.values.at(static_cast<std::size_t>(source)));
  });
  return dst;
}

template <typename T>
AnyTensor moved(const T& op, const Int8Call& call) {
  const QuantTensor& src = call.source();
  QuantTensor dst(call.dtype(), call.node().shape);
  for_each_element(dst.shape, from(op, src.shape, dst.shape),
                   [&](std::int64_t source, std::int64_t to) { dst.set(to, source < 0 ? 0 : src.at(source)); });
  return dst;
}

}  // namespace

FloatTensor float_reference(const Slice& op, const FloatCall& call) { return moved(op, call); }
AnyTensor int8_reference(const Slice& op, const Int8Call& call) { return moved(op, call); }
FloatTensor float_reference(const Reshape& op, const FloatCall& call) { return moved(op, call); }
AnyTensor int8_reference(const Reshape& op, const Int8Call& call) { return moved(op, call); }
FloatTensor float_reference(const Permute& op, const FloatCall& call) { return moved(op, call); }
AnyTensor int8_reference(const Permute& op, const Int8Call& call) { return moved(op, call); }
FloatTensor float_reference(const DepthToSpace& op, const FloatCall& call) { return moved(op, call); }
AnyTensor int8_reference(const DepthToSpace& op, const Int8Call& call) { return moved(op, call); }
FloatTensor float_reference(const SpaceToBatch& op, const FloatCall& call) { return moved(op, call); }
AnyTensor int8_reference(const SpaceToBatch& op, const Int8Call& call) { return moved(op, call); }
FloatTensor float_reference(const BatchToSpace& op, const FloatCall& call) { return moved(op, call); }
AnyTensor int8_reference(const BatchToSpace& op, const Int8Call& call) { return moved(op, call); }
FloatTensor float_reference(const ResizeNearest& op, const FloatCall& call) { return moved(op, call); }
AnyTensor int8_reference(const ResizeNearest& op, const Int8Call& call) { return moved(op, call); }

}  // namespace gpueval::reference
