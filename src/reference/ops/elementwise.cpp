// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "reference/op_reference.h"

namespace gpueval::reference {

FloatTensor float_reference(const BatchNorm& op, const FloatCall& call) {
  const auto values = [&](Role role) { return call.node().find(role)->array.data; };
  const Param* gamma = call.node().find(Role::kGamma);
  FloatTensor dst{call.node().shape, {}};
  for (std::size_t i = 0; i < call.source().values.size(); ++i) {
    const std::size_t c = i % static_cast<std::size_t>(dst.shape.c);
    const double centred = double{call.source().values[i]} - (*values(Role::kMean))[c];
    const double gain = (gamma != nullptr ? double{(*gamma->array.data)[c]} : 1.0) /
                        std::sqrt(double{(*values(Role::kVariance))[c]} + double{op.eps});
    dst.values.push_back(activate(centred * gain + (*values(Role::kBeta))[c], op.act));
  }
  return dst;
}

FloatTensor float_reference(const Relu& op, const FloatCall& call) {
  FloatTensor dst{call.node().shape, {}};
  for (const float x : call.source().values) dst.values.push_back(activate(x, op.act));
  return dst;
}
AnyTensor int8_reference(const Relu&, const Int8Call& call) {
  const IntegerOp& op = call.form();
  return requantize(call.source(), op.input_factors[0], op.lo, op.hi, call.dtype());
}

FloatTensor float_reference(const Add& op, const FloatCall& call) {
  FloatTensor dst{call.node().shape, {}};
  for (std::size_t i = 0; i < call.source().values.size(); ++i) {
    dst.values.push_back(activate(double{call.source().values[i]} + call.source(1).values[i], op.act));
  }
  return dst;
}
AnyTensor int8_reference(const Add&, const Int8Call& call) {
  const IntegerOp& op = call.form();
  return add(call.source(), op.input_factors[0], call.source(1), op.input_factors[1], op.lo, op.hi, call.dtype());
}

AnyTensor int8_reference(const Quantize&, const Int8Call& call) {
  return quantize_channels(call.float_source(), call.node().type.scale, call.dtype());
}
AnyTensor int8_reference(const Dequantize&, const Int8Call& call) {
  return dequantize(call.source(), call.source_type().scale);
}

}  // namespace gpueval::reference
