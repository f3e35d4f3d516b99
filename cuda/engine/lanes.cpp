// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/lanes.h"

#include <algorithm>
#include <cstddef>

namespace gpueval::cuda {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

class LanePlanner {
 public:
  LanePlanner(const Graph& graph, int max_lanes) : graph_(graph), max_lanes_(max_lanes), ends_(1, 0) {
    const std::size_t count = graph.nodes.size();
    plan_.lane.assign(count, 0);
    plan_.waits.resize(count);
    plan_.records.assign(count, false);
    for (const std::vector<int>& readers : graph.consumers()) unread_.push_back(static_cast<int>(readers.size()));
    seen_.assign(at(max_lanes), std::vector<int>(at(max_lanes), -1));
  }

  LanePlan plan() {
    for (int node = 1; node < static_cast<int>(graph_.nodes.size()); ++node) {
      place(node);
    }
    plan_.lanes = static_cast<int>(ends_.size());
    for (int lane = 1; lane < plan_.lanes; ++lane) {
      if (seen_[0][at(lane)] >= ends_[at(lane)]) continue;
      plan_.joins.push_back(ends_[at(lane)]);
      plan_.records[at(ends_[at(lane)])] = true;
    }
    return std::move(plan_);
  }

 private:
  void place(int node) {
    const int lane = choose(node);
    plan_.lane[at(node)] = lane;
    for (const int input : graph_.nodes[at(node)].inputs) {
      --unread_[at(input)];
      wait(lane, node, input);
    }
    ends_[at(lane)] = node;
  }

  int choose(int node) {
    const std::vector<int>& inputs = graph_.nodes[at(node)].inputs;
    for (const int input : inputs) {
      if (ends_[at(plan_.lane[at(input)])] == input) return plan_.lane[at(input)];
    }
    // A lane whose last tensor nobody will read any more has nothing left to do.
    for (int lane = 0; lane < static_cast<int>(ends_.size()); ++lane) {
      if (unread_[at(ends_[at(lane)])] == 0) return lane;
    }
    if (static_cast<int>(ends_.size()) < max_lanes_) {
      ends_.push_back(0);
      return static_cast<int>(ends_.size()) - 1;
    }
    return inputs.empty() ? 0 : plan_.lane[at(inputs.front())];
  }

  void wait(int lane, int node, int input) {
    const int other = plan_.lane[at(input)];
    if (other == lane || seen_[at(lane)][at(other)] >= input) return;
    seen_[at(lane)][at(other)] = input;
    plan_.waits[at(node)].push_back(input);
    plan_.records[at(input)] = true;
  }

  const Graph& graph_;
  int max_lanes_;
  LanePlan plan_;
  std::vector<int> ends_;               // per lane: its last node; node 0, the input, is there from the start
  std::vector<int> unread_;             // per node: readers not yet placed
  std::vector<std::vector<int>> seen_;  // [lane][other]: the latest node of `other` that the lane has waited for
};

}  // namespace

LanePlan plan_lanes(const Graph& graph, int max_lanes) { return LanePlanner(graph, std::max(max_lanes, 1)).plan(); }

StepOrder::StepOrder(const Graph& graph, const LanePlan& plan) {
  const std::size_t count = graph.nodes.size();
  reached_.assign(count, std::vector<bool>(count, false));
  std::vector<int> last(at(plan.lanes), -1);
  const auto follow = [&](std::size_t step, int earlier) {
    reached_[step][at(earlier)] = true;
    for (std::size_t i = 0; i < at(earlier); ++i) {
      if (reached_[at(earlier)][i]) reached_[step][i] = true;
    }
  };
  for (std::size_t step = 0; step < count; ++step) {
    int& previous = last[at(plan.lane[step])];
    if (previous >= 0) follow(step, previous);
    for (const int input : plan.waits[step]) follow(step, input);
    previous = static_cast<int>(step);
  }
}

}  // namespace gpueval::cuda
