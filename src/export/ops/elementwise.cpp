// SPDX-License-Identifier: Apache-2.0
#include <span>
#include <vector>

#include "export/emitter.h"

namespace gpueval::onnx_export {

Value emit(const BatchNorm& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  std::vector<std::string> inputs{e.value(n).name};
  const Dims dims{n.shape.c};
  for (const Role role : {Role::kGamma, Role::kBeta, Role::kMean, Role::kVariance}) {
    const Param* param = n.find(role);
    const std::vector<float> values = param != nullptr
                                          ? *param->array.data
                                          : std::vector<float>(static_cast<std::size_t>(n.shape.c), 1.0f);  // no gamma
    inputs.push_back(e.writer().tensor(n.name + "/" + to_string(role), dims, std::span(values)));
  }
  const std::string out = n.name + "/output";
  e.writer().node("BatchNormalization", n.name, inputs, out).set("epsilon", op.eps);
  return {out, e.value(n).flat};
}

Value emit(const Relu&, Emitter& e, int index) { return e.value(e.node(index)); }  // it is all activation

Value emit(const Add&, Emitter& e, int index) {
  const Node& n = e.node(index);
  return e.simple("Add", n, {e.value(n, 0).name, e.value(n, 1).name}, e.value(n).flat);
}

Value emit(const Quantize&, Emitter& e, int index) {
  const Node& n = e.node(index);
  return e.rescaled(n, e.value(n), n, true);
}

Value emit(const Dequantize&, Emitter& e, int index) {
  const Node& n = e.node(index);
  return e.rescaled(n, e.value(n), e.source(n), false);
}

}  // namespace gpueval::onnx_export
