// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "gpueval/error.h"
#include "graph/op_row.h"
#include "graph/passes.h"

namespace gpueval {
namespace {

int resolve(const std::vector<int>& replacement, int node) {
  while (replacement[static_cast<std::size_t>(node)] >= 0) node = replacement[static_cast<std::size_t>(node)];
  return node;
}

// Nodes that the outputs need, inputs first, otherwise in their old order.
std::vector<int> needed_in_order(const Graph& graph) {
  enum class Mark { kNew, kOpen, kDone };
  std::vector<Mark> marks(graph.nodes.size(), Mark::kNew);
  std::vector<bool> needed(graph.nodes.size(), false);
  std::vector<int> stack;
  for (const GraphOutput& out : graph.outputs) stack.push_back(out.node);
  while (!stack.empty()) {
    const auto node = static_cast<std::size_t>(stack.back());
    stack.pop_back();
    if (needed[node]) continue;
    needed[node] = true;
    const std::vector<int>& inputs = graph.nodes[node].inputs;
    stack.insert(stack.end(), inputs.begin(), inputs.end());
  }
  std::vector<int> order;
  const std::function<void(int)> visit = [&](int index) {
    const auto node = static_cast<std::size_t>(index);
    if (marks[node] == Mark::kDone) return;
    GPUEVAL_CHECK(marks[node] == Mark::kNew, "{}: '{}' depends on itself", graph.name, graph.nodes[node].name);
    marks[node] = Mark::kOpen;
    for (const int input : graph.nodes[node].inputs) visit(input);
    marks[node] = Mark::kDone;
    order.push_back(index);
  };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (needed[i]) visit(static_cast<int>(i));
  }
  return order;
}

}  // namespace

Graph rewire(Graph graph, const std::vector<int>& replacement) {
  for (Node& node : graph.nodes) {
    for (int& input : node.inputs) input = resolve(replacement, input);
  }
  for (GraphOutput& out : graph.outputs) out.node = resolve(replacement, out.node);

  const std::vector<int> order = needed_in_order(graph);
  std::vector<int> position(graph.nodes.size(), -1);
  for (std::size_t i = 0; i < order.size(); ++i) position[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  Graph result{.name = graph.name, .nodes = {}, .outputs = std::move(graph.outputs)};
  for (GraphOutput& out : result.outputs) out.node = position[static_cast<std::size_t>(out.node)];
  result.nodes.reserve(order.size());
  for (const int old : order) {
    Node node = std::move(graph.node(old));
    for (int& input : node.inputs) input = position[static_cast<std::size_t>(input)];
    if (node.slice_of >= 0) node.slice_of = position[static_cast<std::size_t>(node.slice_of)];
    result.nodes.push_back(std::move(node));
  }
  return result;
}

Window* conv_window(Op& op) {
  if (auto* conv = std::get_if<Conv2D>(&op)) return &conv->window;
  auto* depthwise = std::get_if<DepthwiseConv2D>(&op);
  return depthwise != nullptr ? &depthwise->window : nullptr;
}

Activation* fused_activation(Op& op) {
  return std::visit(
      [](auto& o) -> Activation* {
        if constexpr (requires { o.act; }) return &o.act;
        return nullptr;
      },
      op);
}

const Activation* fused_activation(const Op& op) { return fused_activation(const_cast<Op&>(op)); }

std::vector<bool> non_negative(const Graph& graph) {
  std::vector<bool> result(graph.nodes.size(), false);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const Activation* act = fused_activation(node.op);
    if (act != nullptr && *act != Activation::kNone) {
      result[i] = true;
      continue;
    }
    std::array<bool, 2> src{};  // an operation with a rule of its own has two sources at most
    for (std::size_t k = 0; k < std::min(src.size(), node.inputs.size()); ++k) {
      src[k] = result[static_cast<std::size_t>(node.inputs[k])];
    }
    result[i] = std::visit(
        [&]<typename T>(const T& op) {
          if constexpr (kOpRow<T>.sign == OpSign::kOwn) return non_negative(op, src);
          return kOpRow<T>.sign == OpSign::kKeeps &&
                 std::all_of(node.inputs.begin(), node.inputs.end(),
                             [&](int input) { return result[static_cast<std::size_t>(input)]; });
        },
        node.op);
  }
  return result;
}

}  // namespace gpueval
