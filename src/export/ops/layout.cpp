// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>
#include <vector>

#include "export/emitter.h"

namespace gpueval::onnx_export {

Value emit(const Concat& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  bool flat = op.axis == Axis::kC;
  for (std::size_t i = 0; i < n.inputs.size(); ++i) flat = flat && e.value(n, i).flat;
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < n.inputs.size(); ++i) inputs.push_back(flat ? e.value(n, i).name : e.map(n, i));
  const std::string out = n.name + "/output";
  const std::int64_t axis = op.axis == Axis::kH ? 2 : op.axis == Axis::kW ? 3 : 1;
  e.writer().node("Concat", n.name, inputs, out).set("axis", axis);
  return {out, flat};
}

Value emit(const ZeroPad& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const Dims amounts{0, 0, op.pad.top, op.pad.left, 0, 0, op.pad.bottom, op.pad.right};
  return e.simple("Pad", n, {e.map(n), e.writer().tensor(n.name + "/pads", {8}, std::span(amounts))}, false);
}

}  // namespace gpueval::onnx_export
