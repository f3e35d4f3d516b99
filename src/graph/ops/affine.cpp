// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <memory>

#include "graph/op_row.h"
#include "graph/passes.h"

namespace gpueval {
namespace {

const std::vector<float>& data_of(const Node& norm, Role role) {
  const Param& param = *norm.find(role);
  GPUEVAL_CHECK(param.array.data != nullptr, "the weights of '{}' are not bound", norm.name);
  return *param.array.data;
}

Param channels(Role role, const Node& norm, std::vector<float> values) {
  for (std::size_t c = 0; c < values.size(); ++c) {
    if (std::isfinite(values[c])) continue;
    fail(
        "batch norm '{}' multiplies or adds {} in channel {} (moving_variance {:g}); the weights are damaged or their "
        "training went wrong",
        norm.name, values[c], c, data_of(norm, Role::kVariance)[c]);
  }
  return {role, {{std::ssize(values)}, std::make_shared<const std::vector<float>>(std::move(values))}};
}

}  // namespace

Shape output_shape(const Affine&, const Node&, std::span<const Shape> src) { return src[0]; }

Graph batch_norm_to_affine(Graph graph) {
  for (Node& node : graph.nodes) {
    const auto* norm = std::get_if<BatchNorm>(&node.op);
    if (norm == nullptr) continue;
    const std::vector<float>&beta = data_of(node, Role::kBeta), &mean = data_of(node, Role::kMean),
          &variance = data_of(node, Role::kVariance);
    const std::vector<float>* gamma = node.find(Role::kGamma) != nullptr ? &data_of(node, Role::kGamma) : nullptr;
    std::vector<float> gain(beta.size()), offset(beta.size());
    for (std::size_t c = 0; c < beta.size(); ++c) {
      const double exact =
          (gamma != nullptr ? double{(*gamma)[c]} : 1.0) / std::sqrt(double{variance[c]} + double{norm->eps});
      gain[c] = static_cast<float>(exact);
      offset[c] = static_cast<float>(double{beta[c]} - double{mean[c]} * exact);
    }
    std::vector<Param> params{channels(Role::kGamma, node, std::move(gain)),
                              channels(Role::kBeta, node, std::move(offset))};
    node.op = Affine{norm->act};
    node.params = std::move(params);
  }
  return graph;
}

}  // namespace gpueval
