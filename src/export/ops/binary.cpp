// SPDX-License-Identifier: Apache-2.0
#include <span>

#include "export/emitter.h"

namespace gpueval::onnx_export {
namespace {

const char* operator_of(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kAdd:
      return "Add";
    case BinaryKind::kSubtract:
      return "Sub";
    case BinaryKind::kMultiply:
      return "Mul";
    case BinaryKind::kMaximum:
      return "Max";
    case BinaryKind::kMinimum:
      return "Min";
  }
  return "?";
}

}  // namespace

// ONNX repeats extents of 1, too; what is flat beside a map becomes one of one pixel.
Value emit(const Binary& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const bool flat = e.value(n, 0).flat && e.value(n, 1).flat;
  const auto operand = [&](std::size_t i) {
    const Value& v = e.value(n, i);
    if (v.flat == flat) return v.name;
    const std::string suffix = "/map_" + std::to_string(i);
    const Dims axes{2, 3};
    const std::string behind = e.writer().tensor(n.name + suffix + "/axes", {2}, std::span<const std::int64_t>(axes));
    return e.simple("Unsqueeze", n, {v.name, behind}, false, suffix).name;
  };
  const std::string first = operand(0), second = operand(1);
  return e.simple(operator_of(op.kind), n, {first, second}, flat);
}

}  // namespace gpueval::onnx_export
