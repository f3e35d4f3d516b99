// SPDX-License-Identifier: Apache-2.0
// Keras's model.layers: by decreasing depth (the longest path to the output), within one depth in the order in which a
// depth-first walk from the output, inputs in their order, first meets the layers.
#include <algorithm>
#include <vector>

#include "gpueval/weights.h"

namespace gpueval {
namespace {

class Walk {
 public:
  explicit Walk(const Graph& graph)
      : graph_(graph), met_(graph.nodes.size(), -1), depth_(graph.nodes.size(), 0), finished_() {
    for (const GraphOutput& out : graph.outputs) visit(out.node);
    for (auto node = finished_.rbegin(); node != finished_.rend(); ++node) {
      for (const int input : inputs(*node)) {
        depth_[index(input)] = std::max(depth_[index(input)], depth_[index(*node)] + 1);
      }
    }
  }
  bool reached(int node) const { return met_[index(node)] >= 0; }
  bool before(int a, int b) const {
    return depth_[index(a)] != depth_[index(b)] ? depth_[index(a)] > depth_[index(b)] : met_[index(a)] < met_[index(b)];
  }

 private:
  static std::size_t index(int node) { return static_cast<std::size_t>(node); }
  const std::vector<int>& inputs(int node) const { return graph_.nodes[index(node)].inputs; }

  void visit(int node) {
    if (reached(node)) return;
    met_[index(node)] = count_++;
    for (const int input : inputs(node)) visit(input);
    finished_.push_back(node);
  }

  const Graph& graph_;
  std::vector<int> met_, depth_, finished_;
  int count_ = 0;
};

}  // namespace

std::vector<int> keras_layer_order(const Graph& graph) {
  const Walk walk(graph);
  std::vector<int> order;
  for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
    if (walk.reached(node) && !graph.node(node).params.empty()) order.push_back(node);
  }
  std::sort(order.begin(), order.end(), [&](int a, int b) { return walk.before(a, b); });
  return order;
}

}  // namespace gpueval
