// SPDX-License-Identifier: Apache-2.0
// Walks a lowered graph and writes its ONNX nodes. Tensors are NCHW behind one Transpose; every node's value is a
// float32 tensor, for an integer node the one behind its QuantizeLinear/DequantizeLinear pair.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "export/onnx_writer.h"
#include "gpueval/graph.h"
#include "gpueval/onnx_export.h"

namespace gpueval::onnx_export {

struct Value {
  std::string name;
  bool flat = false;  // (N, c) instead of (N, c, h, w)
};

class Emitter {
 public:
  Emitter(const Graph& graph, const OnnxOptions& options);
  OnnxWriter run() &&;

  // ---- for the operations (ops/)
  const Graph& graph() const { return graph_; }
  OnnxBias bias_form() const { return bias_; }
  OnnxWriter& writer() { return writer_; }
  const Node& node(int index) const { return graph_.node(index); }
  const Node& source(const Node& n, std::size_t i = 0) const { return node(n.inputs[i]); }
  const Value& value(const Node& n, std::size_t i = 0) const { return values_[static_cast<std::size_t>(n.inputs[i])]; }
  // A node of one output named "<layer><suffix>".
  Value simple(const char* op, const Node& n, const std::vector<std::string>& inputs, bool flat,
               const std::string& suffix = "");
  // Between a tensor with a scale per channel and the one scale it has here.
  Value rescaled(const Node& n, Value v, const Node& scaled, bool to_one_scale);
  Value flattened(const Node& n, Value v);
  // The node's source i as (N, c, h, w).
  std::string map(const Node& n, std::size_t i = 0);
  // An initializer of one number a channel, to be combined with the node's tensor.
  std::string per_channel(const Node& n, const std::string& suffix, std::span<const float> values, bool flat);

 private:
  Value emit(int index);
  Value emit_op(int index);
  void emit_output(const GraphOutput& out);
  Value emit_input(const Node& n);
  Value activated(const Node& n, Value v);
  Value quantized(const Node& n, Value v);
  std::string scalar(const std::string& name, float value);  // an initializer

  const Graph& graph_;
  OnnxBias bias_;
  OnnxWriter writer_;
  std::vector<Value> values_;
};

// The operation in real numbers; its activation, and the QuantizeLinear of an integer tensor, follow.
#define GPUEVAL_OP(TYPE, ...) Value emit(const TYPE& op, Emitter& e, int index);
#include "gpueval/ops.inc"

}  // namespace gpueval::onnx_export
