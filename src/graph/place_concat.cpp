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

}  // namespace

Graph place_concat(Graph graph) {
  // Outer concats first, so that a concat inside a concat is itself a slice.
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& concat = graph.nodes[i];
    if (!std::holds_alternative<Concat>(concat.op)) continue;
    int offset = 0;
    for (const int input : concat.inputs) {
      Node& src = graph.node(input);
      const bool once = std::count(concat.inputs.begin(), concat.inputs.end(), input) == 1;
      if (once && input != graph.output && can_write_into(src, concat)) {
        src.slice_of = static_cast<int>(i);
        src.slice_offset = offset;
      }
      offset += src.shape.c;
    }
  }
  return graph;
}

}  // namespace gpueval
