// SPDX-License-Identifier: Apache-2.0
#include "graph/op_row.h"

namespace gpueval {

std::span<const OpRow> op_rows() {
  static constexpr OpRow kRows[] = {
#define GPUEVAL_OP(TYPE, ...) kOpRow<TYPE>,
#include "gpueval/ops.inc"
  };
  return kRows;
}

const OpRow& op_row(const Op& op) { return op_rows()[op.index()]; }

std::string op_name(const Op& op) { return op_row(op).name; }

Shape output_shape(const Graph& graph, const Node& self) {
  std::vector<Shape> src;
  for (const int input : self.inputs) src.push_back(graph.node(input).shape);
  return std::visit([&](const auto& op) { return output_shape(op, self, src); }, self.op);
}

}  // namespace gpueval
