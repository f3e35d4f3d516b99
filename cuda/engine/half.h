// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpueval/graph.h"

namespace gpueval::cuda {

// float16 networks: the graph of a float32 network with all tensors, the input included, as float16. Error for a graph
// with integer tensors.
Graph with_half_tensors(Graph graph);

}  // namespace gpueval::cuda
