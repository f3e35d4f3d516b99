// SPDX-License-Identifier: Apache-2.0
#include <span>
#include <vector>

#include "export/emitter.h"

namespace gpueval::onnx_export {

Value emit(const Concat&, Emitter& e, int index) {
  const Node& n = e.node(index);
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < n.inputs.size(); ++i) inputs.push_back(e.value(n, i).name);
  const std::string out = n.name + "/output";
  e.writer().node("Concat", n.name, inputs, out).set("axis", std::int64_t{1});
  return {out, e.value(n).flat};
}

Value emit(const ZeroPad& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const Dims amounts{0, 0, op.pad.top, op.pad.left, 0, 0, op.pad.bottom, op.pad.right};
  return e.simple("Pad", n, {e.value(n).name, e.writer().tensor(n.name + "/pads", {8}, std::span(amounts))}, false);
}

}  // namespace gpueval::onnx_export
