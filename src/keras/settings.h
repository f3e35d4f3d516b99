// SPDX-License-Identifier: Apache-2.0
// What a node of a network as it was written down does, in words: for messages, and to compare two of them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gpueval/graph.h"

namespace gpueval::keras {

// {"strides", "2x2"}, {"epsilon", "0.001"}, ..., then the shapes of its weights: what files and networks differ in.
std::vector<std::pair<std::string, std::string>> settings_of(const Node& node);

// op_name; all that is a function of each element alone is an "activation".
std::string kind_of(const Node& node);

// "'conv' (Conv2D)", "'relu' (relu6)"
std::string described(const Node& node);

}  // namespace gpueval::keras
