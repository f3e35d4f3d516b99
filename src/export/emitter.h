// SPDX-License-Identifier: Apache-2.0
// Walks a lowered graph and writes its ONNX nodes. Tensors are NCHW behind one Transpose; every node's value is a
// float32 tensor, for an integer node the one behind its QuantizeLinear/DequantizeLinear pair.
#pragma once

#include <string>
#include <vector>

#include "export/onnx_writer.h"
#include "gpueval/graph.h"
#include "gpueval/onnx_export.h"

namespace gpueval::onnx_export {

class Emitter {
 public:
  Emitter(const Graph& graph, const OnnxOptions& options);
  OnnxWriter run() &&;

 private:
  struct Value {
    std::string name;
    bool flat = false;  // (N, c) instead of (N, c, h, w)
  };
  struct Weights {
    std::string kernel, bias;  // bias: "" if there is none
  };

  const Node& node(int index) const { return graph_.node(index); }
  const Node& source(const Node& n, std::size_t i = 0) const { return node(n.inputs[i]); }
  const Value& value(const Node& n, std::size_t i = 0) const { return values_[static_cast<std::size_t>(n.inputs[i])]; }

  Value emit(int index);
  Value emit_op(int index);
  Value emit_input(const Node& n);
  Value emit_layer(int index);  // convolution, depthwise or dense
  Value emit_pool(const Node& n, const Window& window, const char* op);
  Value emit_batch_norm(const Node& n);
  Value emit_pad(const Node& n);
  // A node of one output named "<layer><suffix>".
  Value emit_simple(const char* op, const Node& n, const std::vector<std::string>& inputs, bool flat,
                    const std::string& suffix = "");

  Weights float_weights(const Node& n, const ConvDesc& desc);
  Weights integer_weights(const Node& n, const ConvDesc& desc);
  // DequantizeLinear along axis 0 of an initializer; returns the float tensor.
  template <typename T>
  std::string dequantized(const std::string& name, const Dims& dims, const std::vector<T>& values,
                          const std::vector<float>& scale);
  Value activated(const Node& n, Value v);
  Value quantized(const Node& n, Value v);
  // Between a tensor with a scale per channel and the one scale it has here.
  Value rescaled(const Node& n, Value v, const Node& scaled, bool to_one_scale);
  Value flattened(const Node& n, Value v);
  std::string scalar(const std::string& name, float value);  // an initializer

  const Graph& graph_;
  OnnxBias bias_;
  OnnxWriter writer_;
  std::vector<Value> values_;
};

}  // namespace gpueval::onnx_export
