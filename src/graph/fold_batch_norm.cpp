// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "gpueval/error.h"
#include "graph/folded_weights.h"
#include "graph/passes.h"

namespace gpueval {
namespace {

const std::vector<float>* data_of(const Node& node, Role role) {
  const Param* param = node.find(role);
  if (param == nullptr) return nullptr;
  GPUEVAL_CHECK(param->array.data != nullptr, "the weights of '{}' are not bound", node.name);
  return param->array.data.get();
}

std::shared_ptr<const std::vector<float>> shared(std::vector<float> values) {
  return std::make_shared<const std::vector<float>>(std::move(values));
}

// norm: a batch norm, or an affine, which has neither mean nor variance.
void fold(Node& conv, const Node& norm) {
  const auto* gamma = data_of(norm, Role::kGamma);
  const auto* beta = data_of(norm, Role::kBeta);
  const auto* mean = data_of(norm, Role::kMean);
  const auto* variance = data_of(norm, Role::kVariance);
  const auto* bias = data_of(conv, Role::kBias);
  const auto* batch_norm = std::get_if<BatchNorm>(&norm.op);
  const double eps = batch_norm != nullptr ? batch_norm->eps : 0;
  const std::size_t channels = beta->size();

  std::vector<double> gain(channels);
  std::vector<float> folded_bias(channels);
  for (std::size_t k = 0; k < channels; ++k) {
    gain[k] = gamma != nullptr ? double{(*gamma)[k]} : 1.0;
    if (variance != nullptr) gain[k] /= std::sqrt(double{(*variance)[k]} + eps);
    const double centred = (bias != nullptr ? double{(*bias)[k]} : 0.0) - (mean != nullptr ? double{(*mean)[k]} : 0.0);
    folded_bias[k] = static_cast<float>(double{(*beta)[k]} + centred * gain[k]);
  }
  // Output channels are innermost in (kh, kw, in, out), and in (kh, kw, in, 1) of a depthwise kernel.
  Param& kernel = conv.params[0];
  std::vector<float> folded(*kernel.array.data);
  for (std::size_t i = 0; i < folded.size(); ++i) folded[i] = static_cast<float>(folded[i] * gain[i % channels]);
  const auto where = [&](std::size_t i) {
    const std::size_t k = i % channels;
    return fmt::format("channel {} once batch norm '{}' is folded into it (gamma {:g}, moving_variance {:g})", k,
                       norm.name, gamma != nullptr ? (*gamma)[k] : 1.0f, variance != nullptr ? (*variance)[k] : 1.0f);
  };
  check_folded(folded, kernel.role, conv, where);
  check_folded(folded_bias, Role::kBias, conv, where);
  kernel.array.data = shared(std::move(folded));
  Param bias_param{Role::kBias, {{static_cast<std::int64_t>(channels)}, shared(std::move(folded_bias))}};
  conv.params = {std::move(kernel), std::move(bias_param)};
}

}  // namespace

Graph fold_batch_norm(Graph graph) {
  const std::vector<int> uses = graph.uses();
  std::vector<int> replacement(graph.nodes.size(), -1);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const bool is_norm =
        std::holds_alternative<BatchNorm>(graph.nodes[i].op) || std::holds_alternative<Affine>(graph.nodes[i].op);
    if (!is_norm) continue;
    const auto src = static_cast<std::size_t>(graph.nodes[i].inputs[0]);
    Node& conv = graph.nodes[src];
    const bool is_conv = std::holds_alternative<Conv2D>(conv.op) || std::holds_alternative<DepthwiseConv2D>(conv.op);
    if (!is_conv || uses[src] != 1 || *fused_activation(conv.op) != Activation::kNone) continue;
    fold(conv, graph.nodes[i]);
    *fused_activation(conv.op) = *fused_activation(graph.nodes[i].op);
    replacement[i] = static_cast<int>(src);
  }
  return rewire(std::move(graph), replacement);
}

}  // namespace gpueval
