// SPDX-License-Identifier: Apache-2.0
#include "session/pixel_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "gpueval/error.h"
#include "graph/passes.h"

namespace gpueval {
namespace {

using Values = std::vector<float>;

bool is(const Normalization& normalization, const Values& gamma, const Values& beta) {
  const PixelTable table = pixel_table(normalization);
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double slope = gamma[c], offset = beta[c];
    const double tolerance = 1e-6 * (255 * std::abs(slope) + std::abs(offset));
    for (std::size_t v = 0; v < 256; ++v) {
      if (!(std::abs(table.values[c][v] - (slope * static_cast<double>(v) + offset)) <= tolerance)) return false;
    }
  }
  return true;
}

// (x - mean) / deviation
std::optional<Normalization> mean_and_deviation(const Values& gamma, const Values& beta) {
  Normalization::Channels mean{}, deviation{};
  for (std::size_t c = 0; c < 3; ++c) {
    const std::size_t at = std::min(c, gamma.size() - 1);
    mean[c] = static_cast<float>(-double{beta[at]} / gamma[at]);
    deviation[c] = static_cast<float>(1 / double{gamma[at]});
  }
  try {
    const bool same = mean == Normalization::Channels{mean[0], mean[0], mean[0]} &&
                      deviation == Normalization::Channels{deviation[0], deviation[0], deviation[0]};
    return same ? Normalization::mean_std(mean[0], deviation[0]) : Normalization::mean_std(mean, deviation);
  } catch (const Error&) {  // beyond what one can ask for
    return std::nullopt;
  }
}

// The only reader of the input, if it is an affine; else -1.
int chain_of(const Graph& graph) {
  const std::vector<int> readers = graph.consumers().front();
  if (readers.size() != 1 || graph.is_output(0) || graph.is_output(readers[0])) return -1;
  const auto* affine = std::get_if<Affine>(&graph.node(readers[0]).op);
  return affine != nullptr && affine->act == Activation::kNone ? readers[0] : -1;
}

bool gives_bytes(const std::unique_ptr<Dataset>& images) {
  return !images || !images->array() || images->array()->bytes;
}

}  // namespace

std::optional<Normalization> normalization_of(const Values& gamma, const Values& beta) {
  if (gamma.size() != beta.size() || (gamma.size() != 1 && gamma.size() != 3)) return std::nullopt;
  for (const Normalization known : {Normalization::kUnit, Normalization::kTf, Normalization::kTorch}) {
    if ((gamma.size() == 3 || !known.by_color()) && is(known, gamma, beta)) return known;
  }
  const std::optional<Normalization> other = mean_and_deviation(gamma, beta);
  return other && is(*other, gamma, beta) ? other : std::nullopt;
}

void take_pixel_chain(const Plan& plan, const LoadedData& data, LoadedModel& model) {
  const std::optional<Normalization>& asked = plan.data.preprocessing.normalization;
  if (model.spec->built_in || (asked && *asked != Normalization::kNone)) return;
  if (model.input.normalization != Normalization::kNone) return;
  if (!gives_bytes(data.images) || !gives_bytes(data.calibration)) return;
  const int chain = chain_of(model.graph);
  if (chain < 0) return;
  const Node& affine = model.graph.node(chain);
  const Param *gamma = affine.find(Role::kGamma), *beta = affine.find(Role::kBeta);
  if (gamma == nullptr || beta == nullptr || !gamma->array.data || !beta->array.data) return;
  const std::optional<Normalization> normalization = normalization_of(*gamma->array.data, *beta->array.data);
  if (!normalization) return;
  model.notes.push_back(
      fmt::format("'{}', with which the network begins, is left to the pixel table, whose values are quantized: {}.",
                  affine.name, formula(*normalization, model.input.channels)));
  model.input.normalization = *normalization;
  model.pixel_chain = std::exchange(model.graph.nodes.front().name, affine.name);
  std::vector<int> replacement(model.graph.nodes.size(), -1);
  replacement[static_cast<std::size_t>(chain)] = 0;
  model.graph = rewire(std::move(model.graph), replacement);
}

}  // namespace gpueval
