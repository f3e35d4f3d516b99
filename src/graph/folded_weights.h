// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "gpueval/error.h"
#include "gpueval/graph.h"

namespace gpueval {

// Finite weights may give others once one layer's are folded into another's: a gamma of 1e30, a variance of next to
// nothing without an epsilon. Error naming the first one; where(i): of which channel value i is, and what was folded.
template <typename Where>
void check_folded(const std::vector<float>& values, Role role, const Node& layer, Where&& where) {
  const auto found = std::find_if_not(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  if (found == values.end()) return;
  fail("the {} of layer '{}' is {} in {}; the weights are damaged or their training went wrong", to_string(role),
       layer.name, *found, where(static_cast<std::size_t>(found - values.begin())));
}

}  // namespace gpueval
