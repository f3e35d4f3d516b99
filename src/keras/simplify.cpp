// SPDX-License-Identifier: Apache-2.0
#include "keras/simplify.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "graph/passes.h"

namespace gpueval::keras {
namespace {

// Nodes that no output needs.
Graph drop_unused(Graph graph) {
  const std::vector<int> none(graph.nodes.size(), -1);
  return rewire(std::move(graph), none);
}

const std::vector<float>* values_of(const Node& node, Role role) {
  const Param* param = node.find(role);
  return param != nullptr ? param->array.data.get() : nullptr;
}

// An affine without activation, with numbers; nullptr: it is none.
const Node* affine_at(const Graph& graph, int index) {
  const Node& node = graph.node(index);
  const auto* affine = std::get_if<Affine>(&node.op);
  const bool plain = affine != nullptr && affine->act == Activation::kNone &&
                     values_of(node, Role::kGamma) != nullptr && values_of(node, Role::kBeta) != nullptr;
  return plain ? &node : nullptr;
}

// gamma2 * (gamma1 * x + beta1) + beta2
Graph join_affines(Graph graph) {
  const std::vector<int> uses = graph.uses();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].inputs.empty() || affine_at(graph, static_cast<int>(i)) == nullptr) continue;
    Node& second = graph.nodes[i];
    const int source = second.inputs[0];
    const Node* first = affine_at(graph, source);
    if (first == nullptr || uses[static_cast<std::size_t>(source)] != 1) continue;
    const std::vector<float>&gamma1 = *values_of(*first, Role::kGamma), &beta1 = *values_of(*first, Role::kBeta);
    const std::vector<float>&gamma2 = *values_of(second, Role::kGamma), &beta2 = *values_of(second, Role::kBeta);
    auto gamma = std::make_shared<std::vector<float>>(), beta = std::make_shared<std::vector<float>>();
    for (std::size_t c = 0; c < gamma1.size(); ++c) {
      gamma->push_back(static_cast<float>(double{gamma2[c]} * gamma1[c]));
      beta->push_back(static_cast<float>(double{gamma2[c]} * beta1[c] + beta2[c]));
    }
    for (Param& param : second.params) param.array.data = param.role == Role::kGamma ? gamma : beta;
    second.inputs[0] = first->inputs[0];
  }
  return drop_unused(std::move(graph));
}

// The one number of all channels.
std::optional<double> uniform(const std::vector<float>& values) {
  const bool same = std::all_of(values.begin(), values.end(), [&](float v) { return v == values.front(); });
  return same ? std::optional<double>(values.front()) : std::nullopt;
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); }

// ReLU6(x + 3) / 6
Graph find_hard_sigmoids(Graph graph) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& last = graph.nodes[i];
    if (last.inputs.empty() || affine_at(graph, static_cast<int>(i)) == nullptr) continue;
    const auto scale = uniform(*values_of(last, Role::kGamma)), offset = uniform(*values_of(last, Role::kBeta));
    const Node& middle = graph.node(last.inputs[0]);
    const auto* relu = std::get_if<Relu>(&middle.op);
    if (!scale || !offset || !near(*scale, 1.0 / 6) || *offset != 0 || relu == nullptr ||
        relu->act != Activation::kRelu6) {
      continue;
    }
    const Node* first = affine_at(graph, middle.inputs[0]);
    if (first == nullptr) continue;
    const auto slope = uniform(*values_of(*first, Role::kGamma)), shift = uniform(*values_of(*first, Role::kBeta));
    if (!slope || !shift || *slope != 1 || *shift != 3) continue;
    last.inputs[0] = first->inputs[0];
    last.op = Activate{{FunctionKind::kHardSigmoid, 1.0f / 6, 0.5f}};
    last.params.clear();
  }
  return graph;
}

std::optional<FunctionKind> gated(const Function& gate) {
  if (gate.kind == FunctionKind::kSigmoid) return FunctionKind::kSilu;
  if (gate.kind == FunctionKind::kHardSigmoid && near(gate.alpha, 1.0 / 6) && gate.beta == 0.5f) {
    return FunctionKind::kHardSilu;
  }
  return std::nullopt;
}

// x * gate(x)
Graph find_silus(Graph graph) {
  for (Node& node : graph.nodes) {
    const auto* product = std::get_if<Binary>(&node.op);
    if (product == nullptr || product->kind != BinaryKind::kMultiply) continue;
    for (const std::size_t which : {std::size_t{0}, std::size_t{1}}) {
      const int gate = node.inputs[which], other = node.inputs[1 - which];
      const auto* activate = std::get_if<Activate>(&graph.node(gate).op);
      if (activate == nullptr || graph.node(gate).inputs[0] != other) continue;
      if (const auto kind = gated(activate->function)) {
        node.op = Activate{{*kind}};
        node.inputs = {other};
        break;
      }
    }
  }
  return graph;
}

}  // namespace

Graph simplify(Graph graph) {
  graph = find_silus(find_hard_sigmoids(join_affines(drop_unused(std::move(graph)))));
  return drop_unused(std::move(graph));
}

}  // namespace gpueval::keras
