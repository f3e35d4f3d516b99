// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gpueval/error.h"
#include "graph/folded_weights.h"
#include "graph/passes.h"

namespace gpueval {
namespace {

bool takes_gamma(const Node& node) {
  const auto* conv = std::get_if<Conv2D>(&node.op);
  return conv != nullptr && conv->groups == 1 && node.inputs.size() == 1;
}

// Input channels are next to innermost in (kh, kw, in, out).
void scale_inputs(Node& conv, const std::vector<float>& gamma, const Node& norm) {
  Array& kernel = conv.params[0].array;
  GPUEVAL_CHECK(kernel.data != nullptr, "the weights of '{}' are not bound", conv.name);
  std::vector<float> scaled = *kernel.data;
  const auto outputs = static_cast<std::size_t>(conv.shape.c);
  const auto channel_of = [&](std::size_t i) { return i / outputs % gamma.size(); };
  for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] *= gamma[channel_of(i)];
  check_folded(scaled, conv.params[0].role, conv, [&](std::size_t i) {
    return fmt::format("input channel {} once the gamma of '{}' ({:g}) is folded into it", channel_of(i), norm.name,
                       gamma[channel_of(i)]);
  });
  kernel.data = std::make_shared<const std::vector<float>>(std::move(scaled));
}

}  // namespace

Graph fold_gamma(Graph graph) {
  const auto consumers = graph.consumers();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& norm = graph.nodes[i];
    const Param* gamma = norm.find(Role::kGamma);
    const bool scales =
        std::holds_alternative<Normalize>(norm.op) && gamma != nullptr && norm.find(Role::kBeta) == nullptr;
    if (!scales || graph.is_output(static_cast<int>(i)) || consumers[i].empty()) continue;
    const bool all = std::all_of(consumers[i].begin(), consumers[i].end(),
                                 [&](int reader) { return takes_gamma(graph.node(reader)); });
    if (!all) continue;
    GPUEVAL_CHECK(gamma->array.data != nullptr, "the weights of '{}' are not bound", norm.name);
    const std::vector<float> values = *gamma->array.data;
    for (const int reader : consumers[i]) scale_inputs(graph.nodes[static_cast<std::size_t>(reader)], values, norm);
    norm.params.clear();
  }
  return graph;
}

}  // namespace gpueval
