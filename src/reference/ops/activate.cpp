// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "reference/op_reference.h"

namespace gpueval::reference {

FloatTensor float_reference(const Activate& op, const FloatCall& call) {
  FloatTensor dst{call.node().shape, {}};
  for (const float x : call.source().values) dst.values.push_back(static_cast<float>(apply(op.function, x)));
  return dst;
}
AnyTensor int8_reference(const Activate&, const Int8Call& call) {
  return lookup(call.source(), call.form().table, call.dtype());
}

QuantTensor lookup(const QuantTensor& src, std::span<const std::uint8_t> table, DType dst) {
  QuantTensor out(dst, src.shape);
  for (std::size_t i = 0; i < src.bytes.size(); ++i) out.bytes[i] = table[src.bytes[i]];
  return out;
}

FloatTensor float_reference(const PRelu&, const FloatCall& call) {
  const std::vector<float>& alpha = *call.node().find(Role::kAlpha)->array.data;
  FloatTensor dst{call.node().shape, {}};
  for (std::size_t i = 0; i < call.source().values.size(); ++i) {
    const double x = call.source().values[i];
    dst.values.push_back(static_cast<float>(x < 0 ? x * alpha[i % alpha.size()] : x));
  }
  return dst;
}
AnyTensor int8_reference(const PRelu&, const Int8Call& call) {
  return prelu(call.source(), call.form().m, call.form().b, call.dtype());
}

QuantTensor prelu(const QuantTensor& src, std::span<const float> m, std::span<const float> b, DType dst) {
  QuantTensor out(dst, src.shape);
  for (std::int64_t i = 0; i < src.shape.elements(); ++i) {
    const int q = src.at(i);
    const std::size_t k = static_cast<std::size_t>(i) % m.size();
    out.set(i, round_clamped(std::fmaf(static_cast<float>(q), q < 0 ? b[k] : m[k], 0.0f), lowest(dst), highest(dst)));
  }
  return out;
}

}  // namespace gpueval::reference
