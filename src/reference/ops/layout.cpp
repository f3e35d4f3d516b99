// SPDX-License-Identifier: Apache-2.0
#include "reference/op_reference.h"

namespace gpueval::reference {

namespace {

// Calls move(from, to), element indices of the part and of the whole, for every element of a part whose elements begin
// `offset` extents of the axis behind the whole's.
template <typename Move>
void for_each_joined(Axis axis, const Shape& part, int offset, const Shape& whole, Move&& move) {
  std::int64_t from = 0;
  for (int h = 0; h < part.h; ++h) {
    for (int w = 0; w < part.w; ++w) {
      for (int c = 0; c < part.c; ++c) {
        const int y = h + (axis == Axis::kH ? offset : 0), x = w + (axis == Axis::kW ? offset : 0);
        move(from++, (std::int64_t{y} * whole.w + x) * whole.c + c + (axis == Axis::kC ? offset : 0));
      }
    }
  }
}

int extent(const Shape& shape, Axis axis) { return axis == Axis::kH ? shape.h : axis == Axis::kW ? shape.w : shape.c; }

}  // namespace

FloatTensor float_reference(const Concat& op, const FloatCall& call) {
  const Shape& shape = call.node().shape;
  FloatTensor dst{shape, std::vector<float>(static_cast<std::size_t>(shape.elements()))};
  int offset = 0;
  for (const FloatTensor* part : call.inputs) {
    for_each_joined(op.axis, part->shape, offset, shape, [&](std::int64_t from, std::int64_t to) {
      dst.values[static_cast<std::size_t>(to)] = part->values[static_cast<std::size_t>(from)];
    });
    offset += extent(part->shape, op.axis);
  }
  return dst;
}

AnyTensor int8_reference(const Concat& op, const Int8Call& call) {
  const Node& node = call.node();
  const IntegerOp& form = call.form();
  QuantTensor dst(call.dtype(), node.shape);
  int offset = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const QuantTensor& part = call.source(i);
    const bool same = form.input_factors[i] == 1.0f && part.dtype == dst.dtype;
    const QuantTensor src = same ? part : requantize(part, form.input_factors[i], form.lo, form.hi, dst.dtype);
    for_each_joined(op.axis, src.shape, offset, dst.shape,
                    [&](std::int64_t from, std::int64_t to) { dst.set(to, src.at(from)); });
    offset += extent(src.shape, op.axis);
  }
  return dst;
}

namespace {

// Calls move(from, to), element indices, for every element of the source.
template <typename Move>
void for_each_moved(const Shape& src, const Padding& pad, const Shape& dst, Move&& move) {
  std::int64_t from = 0;
  for (int h = 0; h < src.h; ++h) {
    for (int w = 0; w < src.w; ++w) {
      for (int c = 0; c < src.c; ++c) {
        move(from++, (std::int64_t{h + pad.top} * dst.w + w + pad.left) * dst.c + c);
      }
    }
  }
}

}  // namespace

FloatTensor float_reference(const ZeroPad& op, const FloatCall& call) {
  const FloatTensor& src = call.source();
  const Shape& shape = call.node().shape;
  FloatTensor dst{shape, std::vector<float>(static_cast<std::size_t>(shape.elements()), 0.0f)};
  for_each_moved(src.shape, op.pad, shape, [&](std::int64_t from, std::int64_t to) {
    dst.values[static_cast<std::size_t>(to)] = src.values[static_cast<std::size_t>(from)];
  });
  return dst;
}

AnyTensor int8_reference(const ZeroPad& op, const Int8Call& call) {
  QuantTensor dst(call.dtype(), call.node().shape);
  for_each_moved(call.source().shape, op.pad, dst.shape,
                 [&](std::int64_t from, std::int64_t to) { dst.set(to, call.source().at(from)); });
  return dst;
}

}  // namespace gpueval::reference
