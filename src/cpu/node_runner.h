// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gpueval/node_runner.h"

namespace gpueval::cpu {

std::unique_ptr<NodeRunner> make_node_runner(const Graph& graph, Node node, int batch);

}  // namespace gpueval::cpu
