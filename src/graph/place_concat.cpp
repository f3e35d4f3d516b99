// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "graph/op_row.h"
#include "graph/passes.h"

namespace gpueval {
namespace {

bool can_write_into(const Node& src, const Node& concat) {
  const bool written_by_a_kernel = op_row(src.op).form != OpForm::kNone;
  return written_by_a_kernel && src.slice_of < 0 && src.type.dtype == concat.type.dtype &&
         src.type.scale == concat.type.scale;
}

// Its pixels one behind the other are the dense layer's source.
bool is_flattened(const Graph& graph, int node) {
  return graph.node(node).shape.pixels() > 1 &&
         std::any_of(graph.nodes.begin(), graph.nodes.end(), [node](const Node& reader) {
           return std::holds_alternative<Dense>(reader.op) && reader.inputs[0] == node;
         });
}

}  // namespace

Graph place_concat(Graph graph) {
  // Outer concats first, so that a concat inside a concat is itself a slice.
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& concat = graph.nodes[i];
    const auto* op = std::get_if<Concat>(&concat.op);
    if (op == nullptr || op->axis != Axis::kC) continue;
    int offset = 0;
    for (const int input : concat.inputs) {
      Node& src = graph.node(input);
      const bool once = std::count(concat.inputs.begin(), concat.inputs.end(), input) == 1;
      const bool dense = graph.is_output(input) || is_flattened(graph, input);  // without gaps between its pixels
      if (once && !dense && can_write_into(src, concat)) {
        src.slice_of = static_cast<int>(i);
        src.slice_offset = offset;
      }
      offset += src.shape.c;
    }
  }
  return graph;
}

}  // namespace gpueval
