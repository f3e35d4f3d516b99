// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "reference/op_reference.h"

namespace gpueval::reference {

FloatTensor float_reference(const Affine& op, const FloatCall& call) {
  const Node& node = call.node();
  const std::vector<float>&gamma = *node.find(Role::kGamma)->array.data, &beta = *node.find(Role::kBeta)->array.data;
  FloatTensor dst{node.shape, {}};
  for (std::size_t i = 0; i < call.source().values.size(); ++i) {
    const std::size_t c = i % gamma.size();
    dst.values.push_back(activate(double{call.source().values[i]} * gamma[c] + beta[c], op.act));
  }
  return dst;
}

AnyTensor int8_reference(const Affine&, const Int8Call& call) {
  const IntegerOp& op = call.form();
  if (call.dtype() == DType::kF32) return FloatTensor{call.node().shape, affine_f32(call.source(), op.m, op.b, op.lo)};
  return affine(call.source(), op.m, op.b, op.lo, op.hi, call.dtype());
}

std::vector<float> affine_f32(const QuantTensor& src, std::span<const float> m, std::span<const float> b, float lo) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < src.shape.elements(); ++i) {
    const auto c = static_cast<std::size_t>(i % src.shape.c);
    out.push_back(std::max(std::fmaf(static_cast<float>(src.at(i)), m[c], b[c]), lo));
  }
  return out;
}

QuantTensor affine(const QuantTensor& src, std::span<const float> m, std::span<const float> b, float lo, float hi,
                   DType dst) {
  const std::vector<float> v = affine_f32(src, m, b, lo);
  QuantTensor out(dst, src.shape);
  for (std::size_t i = 0; i < v.size(); ++i) out.set(static_cast<std::int64_t>(i), round_clamped(v[i], lo, hi));
  return out;
}

}  // namespace gpueval::reference
