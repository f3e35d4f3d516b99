// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "gpueval/weights.h"

namespace gpueval {

// Compares what the file says about its layers with the graph, from the outputs to the inputs. matched: of
// match_layers. Throws Error that names the layer, what the file says and what the graph has. What the file does not
// say is left alone; layers that do nothing at inference, the softmax behind the logits, and the many ways to write one
// padding or one average pool are no differences, nor with other_size are the height and width of the input.
void check_config(const Graph& graph, const WeightFile& file, const std::vector<int>& matched, bool other_size);

}  // namespace gpueval
