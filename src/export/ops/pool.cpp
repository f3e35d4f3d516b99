// SPDX-License-Identifier: Apache-2.0
#include "export/emitter.h"

namespace gpueval::onnx_export {
namespace {

NodeRef emit_pool(Emitter& e, const Node& n, const Window& window, const char* op, const std::string& out) {
  const Padding& pad = window.pad;
  NodeRef pool = e.writer().node(op, n.name, {e.value(n).name}, out);
  pool.set("kernel_shape", Dims{window.kernel_h, window.kernel_w});
  pool.set("strides", Dims{window.stride_h, window.stride_w});
  pool.set("pads", Dims{pad.top, pad.left, pad.bottom, pad.right});
  return pool;
}

}  // namespace

Value emit(const MaxPool& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const std::string out = n.name + "/output";
  emit_pool(e, n, op.window, "MaxPool", out);
  return {out, false};
}

Value emit(const AvgPool& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const std::string out = n.name + "/output";
  emit_pool(e, n, op.window, "AveragePool", out).set("count_include_pad", std::int64_t{0});
  return {out, false};
}

Value emit(const GlobalAvgPool&, Emitter& e, int index) {
  const Node& n = e.node(index);
  return e.simple("GlobalAveragePool", n, {e.value(n).name}, false);
}

}  // namespace gpueval::onnx_export
