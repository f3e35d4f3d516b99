// SPDX-License-Identifier: Apache-2.0
// Parallel branches of a network on parallel streams. A lane is a stream; lane 0 is the engine's own. Pure functions:
// which lane runs each node, which waits that needs, and which steps are then certain to be over before which.
#pragma once

#include <vector>

#include "gpueval/graph.h"

namespace gpueval::cuda {

struct LanePlan {
  int lanes = 1;
  std::vector<int> lane;                // per node
  std::vector<std::vector<int>> waits;  // per node: nodes of other lanes to wait for first
  std::vector<bool> records;            // per node: another lane waits for it
  std::vector<int> joins;               // nodes of other lanes that lane 0 waits for at the end
};

// A node goes on where one of its inputs ended if no other node has done so, else on a free lane, else (all in use) to
// the least surprising one, its first input's: fewer streams only mean more order. max_lanes = 1: all in order.
LanePlan plan_lanes(const Graph& graph, int max_lanes);

// before(a, b): step a is over when step b begins, whatever the streams do. Irreflexive, transitive.
class StepOrder {
 public:
  StepOrder(const Graph& graph, const LanePlan& plan);
  bool before(int a, int b) const { return reached_[static_cast<std::size_t>(b)][static_cast<std::size_t>(a)]; }

 private:
  std::vector<std::vector<bool>> reached_;  // [b][a]
};

}  // namespace gpueval::cuda
