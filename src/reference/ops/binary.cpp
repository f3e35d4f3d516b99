// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "reference/op_reference.h"

namespace gpueval::reference {
namespace {

// Index of the element of a tensor of that shape that belongs to element i of the result: extents of 1 are repeated.
std::int64_t element_of(const Shape& shape, const Shape& result, std::int64_t i) {
  const std::int64_t c = i % result.c, x = i / result.c % result.w, y = i / result.c / result.w % result.h;
  const std::int64_t n = i / result.c / result.w / result.h;
  const auto at = [](std::int64_t index, int extent) { return extent == 1 ? 0 : index; };
  return ((n * shape.h + at(y, shape.h)) * shape.w + at(x, shape.w)) * shape.c + at(c, shape.c);
}

double combine(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd:
      return a + b;
    case BinaryKind::kSubtract:
      return a - b;
    case BinaryKind::kMultiply:
      return a * b;
    case BinaryKind::kMaximum:
      return std::max(a, b);
    case BinaryKind::kMinimum:
      return std::min(a, b);
  }
  return 0;
}

float scaled(BinaryKind kind, int q1, float m1, int q2, float m2, int zero) {
  const float v1 = std::fmaf(static_cast<float>(q1), m1, 0.0f), v2 = std::fmaf(static_cast<float>(q2), m2, 0.0f);
  switch (kind) {
    case BinaryKind::kAdd:
      return std::fmaf(static_cast<float>(q1), m1, v2);
    case BinaryKind::kSubtract:
      return std::fmaf(static_cast<float>(q1), m1, -v2);
    case BinaryKind::kMultiply:
      return std::fmaf(static_cast<float>(q1 * q2), m1, static_cast<float>(zero));
    case BinaryKind::kMaximum:
      return std::fmaxf(v1, v2);
    case BinaryKind::kMinimum:
      return std::fminf(v1, v2);
  }
  return 0;
}

}  // namespace

FloatTensor float_reference(const Binary& op, const FloatCall& call) {
  const FloatTensor &a = call.source(), &b = call.source(1);
  FloatTensor dst{call.node().shape, {}};
  for (std::int64_t i = 0; i < dst.shape.elements(); ++i) {
    const float x = a.values[static_cast<std::size_t>(element_of(a.shape, dst.shape, i))];
    const float y = b.values[static_cast<std::size_t>(element_of(b.shape, dst.shape, i))];
    dst.values.push_back(static_cast<float>(combine(op.kind, x, y)));
  }
  return dst;
}
AnyTensor int8_reference(const Binary& op, const Int8Call& call) {
  const bool product = op.kind == BinaryKind::kMultiply;
  const std::vector<float>& m = product ? call.form().m : call.form().input_factors;
  return binary(op.kind, call.source(), m.front(), call.source(1), m.back(), call.dtype(), call.node().type.zero_point);
}

QuantTensor binary(BinaryKind kind, const QuantTensor& a, float m1, const QuantTensor& b, float m2, DType dst,
                   int dst_zero) {
  const Shape &s = a.shape, &t = b.shape;
  QuantTensor out(dst, {s.n, std::max(s.h, t.h), std::max(s.w, t.w), std::max(s.c, t.c)});
  out.zero_point = dst_zero;
  for (std::int64_t i = 0; i < out.shape.elements(); ++i) {
    const int q1 = a.at(element_of(s, out.shape, i)) - a.zero_point;
    const int q2 = b.at(element_of(t, out.shape, i)) - b.zero_point;
    out.set(i, round_clamped(scaled(kind, q1, m1, q2, m2, dst_zero), lowest(dst), highest(dst)));
  }
  return out;
}

}  // namespace gpueval::reference
