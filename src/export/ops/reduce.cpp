// SPDX-License-Identifier: Apache-2.0
#include <span>
#include <vector>

#include "export/emitter.h"

namespace gpueval::onnx_export {
namespace {

// Over axes, which stay as extents of 1. In opset 17 ReduceSum alone has its axes as a tensor.
Value emit_reduction(Emitter& e, const Node& n, const char* op, const Value& v, const Dims& axes,
                     const std::string& suffix) {
  if (std::string(op) == "ReduceSum") {
    const Dims dims{std::ssize(axes)};
    const std::string over = e.writer().tensor(n.name + suffix + "/axes", dims, std::span<const std::int64_t>(axes));
    return e.simple(op, n, {v.name, over}, v.flat, suffix);
  }
  const std::string out = n.name + suffix + "/output";
  e.writer().node(op, n.name + suffix, {v.name}, out).set("axes", axes);
  return {out, v.flat};
}

Value reshaped(Emitter& e, const Node& n, const Value& v, const Dims& to, bool flat, const std::string& suffix) {
  const Dims dims{std::ssize(to)};
  const std::string shape = e.writer().tensor(n.name + suffix + "/shape", dims, std::span<const std::int64_t>(to));
  return e.simple("Reshape", n, {v.name, shape}, flat, suffix);
}

// x over the root of its squares' mean (sum, for kL2) along the axis; mean 0 before that, for kLayer and kGroup.
Value emit_normalized(Emitter& e, const Node& n, const Normalize& op, Value x, std::int64_t axis,
                      const std::string& suffix) {
  const bool length = op.kind == NormalizeKind::kL2;
  if (op.kind == NormalizeKind::kLayer || op.kind == NormalizeKind::kGroup) {
    const Value mean = emit_reduction(e, n, "ReduceMean", x, {axis}, "/mean");
    x = e.simple("Sub", n, {x.name, mean.name}, x.flat, "/centred");
  }
  const Value square = e.simple("Mul", n, {x.name, x.name}, x.flat, "/square");
  const Value sum = emit_reduction(e, n, length ? "ReduceSum" : "ReduceMean", square, {axis}, "/variance");
  const std::string eps = e.writer().tensor(n.name + "/epsilon", {}, std::span<const float>(&op.eps, 1));
  const Value safe = e.simple(length ? "Max" : "Add", n, {sum.name, eps}, x.flat, "/safe");
  const Value root = e.simple("Sqrt", n, {safe.name}, x.flat, "/root");
  return e.simple("Div", n, {x.name, root.name}, x.flat, suffix);
}

// The last node of a normalization has the layer's name, whichever it is.
Value emit_scaled(Emitter& e, const Node& n, Value v) {
  const Param *gamma = n.find(Role::kGamma), *beta = n.find(Role::kBeta);
  if (gamma != nullptr) {
    const std::string factors = e.per_channel(n, "/gamma", *gamma->array.data, v.flat);
    v = e.simple("Mul", n, {v.name, factors}, v.flat, beta != nullptr ? "/scaled" : "");
  }
  if (beta != nullptr) v = e.simple("Add", n, {v.name, e.per_channel(n, "/beta", *beta->array.data, v.flat)}, v.flat);
  return v;
}

const char* operator_of(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::kMean:
      return "ReduceMean";
    case ReduceKind::kSum:
      return "ReduceSum";
    case ReduceKind::kMaximum:
      return "ReduceMax";
    case ReduceKind::kMinimum:
      return "ReduceMin";
  }
  return "?";
}

}  // namespace

Value emit(const Softmax&, Emitter& e, int index) {
  const Node& n = e.node(index);
  const std::string out = n.name + "/output";
  e.writer().node("Softmax", n.name, {e.value(n).name}, out).set("axis", std::int64_t{1});
  return {out, e.value(n).flat};
}

Value emit(const Normalize& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const Value& x = e.value(n);
  const bool scaled = n.find(Role::kGamma) != nullptr || n.find(Role::kBeta) != nullptr;
  if (op.kind != NormalizeKind::kGroup) {
    return emit_scaled(e, n, emit_normalized(e, n, op, x, 1, scaled ? "/normalized" : ""));
  }
  const Value groups = reshaped(e, n, x, {0, op.groups, -1}, false, "/groups");
  const Value normalized = emit_normalized(e, n, op, groups, 2, "/normalized");
  const Dims back = x.flat ? Dims{0, n.shape.c} : Dims{0, n.shape.c, n.shape.h, n.shape.w};
  return emit_scaled(e, n, reshaped(e, n, normalized, back, x.flat, scaled ? "/channels" : ""));
}

Value emit(const Reduce& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const Value& x = e.value(n);
  Dims axes;
  if (op.c) axes.push_back(1);
  if (op.h && !x.flat) axes.push_back(2);  // a flat tensor has none
  if (op.w && !x.flat) axes.push_back(3);
  if (axes.empty()) return e.simple("Identity", n, {x.name}, x.flat);
  return emit_reduction(e, n, operator_of(op.kind), x, axes, "");
}

}  // namespace gpueval::onnx_export
