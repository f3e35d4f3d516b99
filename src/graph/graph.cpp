// SPDX-License-Identifier: Apache-2.0
#include "gpueval/graph.h"

#include <algorithm>

#include "gpueval/error.h"

namespace gpueval {

std::string to_string(Role role) {
  switch (role) {
    case Role::kKernel:
      return "kernel";
    case Role::kDepthwiseKernel:
      return "depthwise_kernel";
    case Role::kPointwiseKernel:
      return "pointwise_kernel";
    case Role::kBias:
      return "bias";
    case Role::kGamma:
      return "gamma";
    case Role::kBeta:
      return "beta";
    case Role::kMean:
      return "moving_mean";
    case Role::kVariance:
      return "moving_variance";
    case Role::kAlpha:
      return "alpha";
  }
  return "?";
}

const Param* Node::find(Role role) const {
  for (const Param& param : params) {
    if (param.role == role) return &param;
  }
  return nullptr;
}

int Graph::find(std::string_view node_name) const {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].name == node_name) return static_cast<int>(i);
  }
  return -1;
}

std::vector<std::vector<int>> Graph::consumers() const {
  std::vector<std::vector<int>> result(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const int input : nodes[i].inputs) result[static_cast<std::size_t>(input)].push_back(static_cast<int>(i));
  }
  return result;
}

std::vector<int> Graph::uses() const {
  std::vector<int> count;
  for (const std::vector<int>& readers : consumers()) count.push_back(static_cast<int>(readers.size()));
  for (const GraphOutput& out : outputs) ++count[static_cast<std::size_t>(out.node)];
  return count;
}

bool Graph::is_output(int node) const {
  return std::any_of(outputs.begin(), outputs.end(), [node](const GraphOutput& out) { return out.node == node; });
}

int Graph::output() const {
  if (outputs.size() != 1) fail("{} has {} outputs; this needs a network with one", name, outputs.size());
  return outputs.front().node;
}

std::int64_t Graph::parameter_count() const {
  std::int64_t count = 0;
  for (const Node& node : nodes) {
    for (const Param& param : node.params) count += param.array.elements();
  }
  return count;
}

}  // namespace gpueval
