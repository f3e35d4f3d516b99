// SPDX-License-Identifier: Apache-2.0
#include "reference/op_reference.h"

namespace gpueval::reference {

FloatTensor float_reference(const Concat&, const FloatCall& call) {
  FloatTensor dst{call.node().shape, {}};
  for (std::int64_t pixel = 0; pixel < dst.shape.pixels(); ++pixel) {
    for (const FloatTensor* part : call.inputs) {
      const auto first = part->values.begin() + pixel * part->shape.c;
      dst.values.insert(dst.values.end(), first, first + part->shape.c);
    }
  }
  return dst;
}

AnyTensor int8_reference(const Concat&, const Int8Call& call) {
  const Node& node = call.node();
  const IntegerOp& op = call.form();
  QuantTensor dst(call.dtype(), node.shape);
  int offset = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const QuantTensor& part = call.source(i);
    const bool same = op.input_factors[i] == 1.0f && part.dtype == dst.dtype;
    const QuantTensor src = same ? part : requantize(part, op.input_factors[i], op.lo, op.hi, dst.dtype);
    const int channels = part.shape.c;
    for (std::int64_t pixel = 0; pixel < node.shape.pixels(); ++pixel) {
      for (int c = 0; c < channels; ++c) dst.set(pixel * node.shape.c + offset + c, src.at(pixel * channels + c));
    }
    offset += channels;
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
