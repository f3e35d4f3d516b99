// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/half.h"

#include "gpueval/error.h"

namespace gpueval::cuda {

Graph with_half_tensors(Graph graph) {
  for (Node& node : graph.nodes) {
    if (node.type.dtype != DType::kF32 || node.integer) {
      fail("float16 is for float networks, but layer '{}' of {} is quantized", node.name, graph.name);
    }
    node.type.dtype = DType::kF16;
  }
  return graph;
}

}  // namespace gpueval::cuda
