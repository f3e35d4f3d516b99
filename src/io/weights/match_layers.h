// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "gpueval/weights.h"

namespace gpueval {

// For every node of the graph, the index of its layer in the file, or -1 for a node without weights.
// Throws Error naming the first layer of either side that has no partner.
std::vector<int> match_layers(const Graph& graph, const WeightFile& file);

}  // namespace gpueval
