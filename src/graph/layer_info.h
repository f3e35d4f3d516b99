// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gpueval/engine.h"
#include "gpueval/graph.h"

namespace gpueval {

// The static facts of one step of any engine. kernel "in place": a step that moves nothing. written: the node whose
// tensor it writes, where that is not its own.
LayerInfo layer_info(const Graph& graph, int node, std::string kernel, int written = -1);

}  // namespace gpueval
