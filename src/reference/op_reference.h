// SPDX-License-Identifier: Apache-2.0
// Each operation of ops.inc as plain loops over one image, in float32 (summed in double) and in int8 (exact): what
// every backend must reproduce.
#pragma once

#include <span>
#include <utility>
#include <variant>

#include "graph/op_row.h"
#include "reference/float_ops.h"
#include "reference/network.h"
#include "reference/reference.h"

namespace gpueval::reference {

// A node and the tensors of its sources.
struct FloatCall {
  const Graph& graph;
  int index;
  std::span<const FloatTensor* const> inputs;
  const Node& node() const { return graph.node(index); }
  const FloatTensor& source(std::size_t i = 0) const { return *inputs[i]; }
};

struct Int8Call {
  const Graph& graph;
  int index;
  const NetworkResult& tensors;
  const Node& node() const { return graph.node(index); }
  const IntegerOp& form() const { return *node().integer; }
  DType dtype() const { return node().type.dtype; }
  const QuantTensor& source(std::size_t i = 0) const {
    return tensors.tensors[static_cast<std::size_t>(node().inputs[i])];
  }
  const FloatTensor& float_source() const { return tensors.floats[static_cast<std::size_t>(node().inputs[0])]; }
  const TensorType& source_type() const { return graph.node(node().inputs[0]).type; }
};
using AnyTensor = std::variant<QuantTensor, FloatTensor>;  // logits and what is dequantized are float32

#define GPUEVAL_OP(TYPE, ...)                                         \
  FloatTensor float_reference(const TYPE& op, const FloatCall& call); \
  AnyTensor int8_reference(const TYPE& op, const Int8Call& call);
#include "gpueval/ops.inc"

float activate(double x, Activation act);

}  // namespace gpueval::reference
