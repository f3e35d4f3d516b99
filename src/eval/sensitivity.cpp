// SPDX-License-Identifier: Apache-2.0
#include "gpueval/sensitivity.h"

#include <algorithm>
#include <cmath>

#include "core/stop_signal.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

double noise(const Trial& trial) { return std::pow(10.0, -trial.sqnr_db / 10); }

std::vector<LayerSensitivity> quantizable_layers(const Graph& bound) {
  const Graph graph = lower_float(bound);
  std::vector<LayerSensitivity> layers;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto desc = conv_desc(graph, static_cast<int>(i));
    if (!desc) continue;
    LayerSensitivity& layer = layers.emplace_back();
    layer.name = graph.nodes[i].name;
    layer.op = op_name(graph.nodes[i].op);
    layer.multiply_adds = desc->multiply_adds();
  }
  if (layers.empty()) fail("{}: it has no convolution or dense layer to rank", bound.name);
  return layers;
}

}  // namespace

Sensitivity measure_sensitivity(Trials& trials) {
  Sensitivity result;
  result.layers = quantizable_layers(trials.bound());
  const int total = 1 + 2 * static_cast<int>(result.layers.size());
  int done = 0;
  const auto measure = [&](const std::vector<std::string>& float_layers) {
    const Trial trial = trials.measure(float_layers);
    if (trials.how().progress) trials.how().progress(++done, total);
    return trial;
  };
  result.all_int8 = measure({});
  for (std::size_t i = 0; i < result.layers.size(); ++i) {
    LayerSensitivity& layer = result.layers[i];
    std::vector<std::string> others;
    for (const LayerSensitivity& other : result.layers) {
      if (other.name != layer.name) others.push_back(other.name);
    }
    try {
      layer.alone = measure(others);
      layer.rest = measure({layer.name});
    } catch (const Interrupted&) {
      if (i == 0) throw;
      result.unmeasured = static_cast<int>(result.layers.size() - i);
      result.layers.resize(i);
    }
  }
  const double everything = noise(result.all_int8);
  const auto weight = [&](const LayerSensitivity& l) { return noise(l.alone) + everything - noise(l.rest); };
  std::stable_sort(result.layers.begin(), result.layers.end(),
                   [&](const LayerSensitivity& a, const LayerSensitivity& b) { return weight(a) > weight(b); });
  return result;
}

MixedPrecision find_mixed_precision(Trials& trials, const Sensitivity& ranking, double target_loss) {
  if (!(target_loss >= 0)) fail_usage("--target-loss: points >= 0 are expected");
  if (!trials.float32_headline()) fail("a target for the loss of accuracy needs images that say something of it");
  const int total = static_cast<int>(ranking.layers.size()) + 1;
  int done = 0;
  const auto try_with = [&](const std::vector<std::string>& layers) {
    MixedPrecision result{.float_layers = layers, .loss = 0, .trial = trials.measure(layers)};
    result.loss = trials.loss(result.trial);
    if (trials.how().progress) trials.how().progress(std::min(++done, total), total);
    return result;
  };
  MixedPrecision best = try_with({});
  for (std::size_t i = 0; i < ranking.layers.size() && best.loss > target_loss; ++i) {
    std::vector<std::string> layers = best.float_layers;
    layers.push_back(ranking.layers[i].name);
    best = try_with(layers);
  }
  // Least sensitive first; the last one taken is needed.
  for (std::size_t i = best.float_layers.empty() ? 0 : best.float_layers.size() - 1; i-- > 0;) {
    std::vector<std::string> layers = best.float_layers;
    layers.erase(layers.begin() + static_cast<std::ptrdiff_t>(i));
    MixedPrecision fewer = try_with(layers);
    if (fewer.loss <= target_loss) best = std::move(fewer);
  }
  if (trials.how().progress) trials.how().progress(total, total);
  return best;
}

}  // namespace gpueval
