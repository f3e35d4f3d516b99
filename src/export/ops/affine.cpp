// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "export/emitter.h"
#include "export/integer_layer.h"

namespace gpueval::onnx_export {

// Mul and Add. An integer layer's numbers in real units: gamma = m * s_dst / s_src, beta = b * s_dst.
Value emit(const Affine&, Emitter& e, int index) {
  const Node& n = e.node(index);
  std::vector<float> gamma, beta;
  if (n.integer) {
    const double dst = tensor_scale(n), src = tensor_scale(e.source(n));
    for (const float m : n.integer->m) gamma.push_back(static_cast<float>(m * dst / src));
    for (const float b : n.integer->b) beta.push_back(static_cast<float>(b * dst));
  } else {
    gamma = *n.find(Role::kGamma)->array.data;
    beta = *n.find(Role::kBeta)->array.data;
  }
  const Value& src = e.value(n);
  const Value product = e.simple("Mul", n, {src.name, e.per_channel(n, "/gamma", gamma, src.flat)}, src.flat, "/mul");
  return e.simple("Add", n, {product.name, e.per_channel(n, "/beta", beta, src.flat)}, src.flat);
}

}  // namespace gpueval::onnx_export
