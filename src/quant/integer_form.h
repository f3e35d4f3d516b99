// SPDX-License-Identifier: Apache-2.0
// How each operation computes in int8 between tensors whose types and scales are known (docs/numerics.md). Formulas are
// computed in double and stored as float.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpueval/quant.h"
#include "graph/op_row.h"

namespace gpueval {

struct IntegerContext {
  const Graph& graph;
  int index;
  const CalibrationTable& table;

  const Node& node() const { return graph.node(index); }
  const Node& source(std::size_t i = 0) const { return graph.node(node().inputs[i]); }
};

// Of channel k; float32 has none.
double scale_of(const Node& node, std::size_t k = 0);

// Its clamp: the range of the node's type, cut by its activation. Everything else is for the caller to fill in.
IntegerOp clamped_form(const Node& node);

// b of a convolution or dense layer whose weights, m and residual_scale are there, for biases in real units: in steps
// of the result, with its zero point, and without what the source's adds to the sums.
void set_biases(const Graph& graph, int node, std::span<const float> bias, IntegerOp& op);

// nullopt: the operation copies bytes, or finds its numbers in the tensors' scales.
#define GPUEVAL_OP(TYPE, ...) std::optional<IntegerOp> integer_form(const TYPE& op, const IntegerContext& context);
#include "gpueval/ops.inc"

// Of any node with an int8 form. Throws Error where a number is beyond float32, or all are so small that they are none.
std::optional<IntegerOp> integer_form(const IntegerContext& context);

}  // namespace gpueval
