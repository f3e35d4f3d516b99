// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/analytic_bias.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "gpueval/error.h"
#include "graph/passes.h"
#include "quant/integer_form.h"
#include "quant/lowering.h"
#include "quant/recipe/bias_steps.h"

namespace gpueval {
namespace {

using Channels = std::vector<Moments>;  // empty: unknown

double density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }
double distribution(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

Channels activated(Channels channels, Activation act) {
  if (act == Activation::kNone) return channels;
  const double high = act == Activation::kRelu6 ? 6.0 : std::numeric_limits<double>::infinity();
  for (Moments& m : channels) m = clipped_normal(m, 0, high);
  return channels;
}

Channels batch_norm(const Node& node) {
  const std::vector<float>& beta = *node.find(Role::kBeta)->array.data;
  const Param* gamma = node.find(Role::kGamma);
  Channels channels;
  for (std::size_t k = 0; k < beta.size(); ++k) {
    const double g = gamma == nullptr ? 1.0 : double{(*gamma->array.data)[k]};
    channels.push_back({beta[k], g * g});
  }
  return channels;
}

Channels sum(const std::vector<const Channels*>& sources) {
  Channels total = *sources[0];
  for (std::size_t i = 1; i < sources.size(); ++i) {
    for (std::size_t k = 0; k < total.size(); ++k) {
      total[k].mean += (*sources[i])[k].mean;
      total[k].variance += (*sources[i])[k].variance;
    }
  }
  return total;
}

Channels joined(const std::vector<const Channels*>& sources) {
  Channels all;
  for (const Channels* source : sources) all.insert(all.end(), source->begin(), source->end());
  return all;
}

Channels moments_of(const Node& node, const std::vector<const Channels*>& sources) {
  if (const auto* norm = std::get_if<BatchNorm>(&node.op)) return activated(batch_norm(node), norm->act);
  if (std::any_of(sources.begin(), sources.end(), [](const Channels* source) { return source->empty(); })) return {};
  if (const auto* relu = std::get_if<Relu>(&node.op)) return activated(*sources[0], relu->act);
  if (const auto* add = std::get_if<Add>(&node.op)) return activated(sum(sources), add->act);
  if (const auto* join = std::get_if<Concat>(&node.op)) return join->axis == Axis::kC ? joined(sources) : Channels{};
  const bool passes = std::holds_alternative<AvgPool>(node.op) || std::holds_alternative<GlobalAvgPool>(node.op) ||
                      std::holds_alternative<ZeroPad>(node.op) || std::holds_alternative<Flatten>(node.op);
  return passes ? *sources[0] : Channels{};
}

// Mean of the integer layer's output minus the float layer's, of channel k, and the accumulator's step.
struct Shift {
  double error = 0, step = 0;
};

Shift mean_shift(const Node& layer, const Node& source, const Node& float_layer, const std::vector<Moments>& input,
                 std::size_t k) {
  const std::vector<float>& kernel = *float_layer.params[0].array.data;
  const auto channels = static_cast<std::size_t>(layer.shape.c);
  const bool depthwise = std::holds_alternative<DepthwiseConv2D>(layer.op);
  const std::size_t depth = kernel.size() / channels;
  Shift shift{.error = 0, .step = layer.integer->m[k] * scale_of(layer, k)};
  for (std::size_t d = 0; d < depth; ++d) {
    const std::size_t c = source_channel(layer, k, d, input.size());
    const std::int8_t q = (*layer.integer->weights)[depthwise ? d * channels + k : k * depth + d];
    shift.error += (shift.step * q / scale_of(source, c) - kernel[d * channels + k]) * input[c].mean;
  }
  return shift;
}

}  // namespace

Moments clipped_normal(const Moments& normal, double low, double high) {
  const double mu = normal.mean, sigma = std::sqrt(normal.variance);
  if (!(sigma > 0)) return {std::clamp(mu, low, high), 0};
  const bool capped = std::isfinite(high);
  const double a = (low - mu) / sigma, b = capped ? (high - mu) / sigma : 0;
  const double below = distribution(a), above = capped ? distribution(-b) : 0, inside = 1 - below - above;
  const double pdf_a = density(a), pdf_b = capped ? density(b) : 0, top = capped ? high : 0;
  const double mean = low * below + top * above + mu * inside + sigma * (pdf_a - pdf_b);
  const double square = low * low * below + top * top * above + (mu * mu + sigma * sigma) * inside +
                        sigma * ((mu + low) * pdf_a - (mu + top) * pdf_b);
  return {mean, std::max(0.0, square - mean * mean)};
}

std::vector<Channels> batch_norm_moments(const Graph& expanded) {
  std::vector<Channels> moments;
  for (const Node& node : expanded.nodes) {
    std::vector<const Channels*> sources;
    for (const int input : node.inputs) sources.push_back(&moments[static_cast<std::size_t>(input)]);
    Channels own = moments_of(node, sources);
    moments.push_back(std::move(own));
  }
  return moments;
}

void correct_biases_analytically(const Graph& bound, const QuantOptions& options, CalibrationTable& table) {
  const Graph expanded = expand_separable(bound), exact = lower_float(bound),
              lowered = lower_static(bound, table, options);
  const std::vector<Channels> moments = batch_norm_moments(expanded);
  int corrected = 0;
  for (std::size_t i = 0; i < lowered.nodes.size(); ++i) {
    const Node& layer = lowered.nodes[i];
    const int unfolded = expanded.find(layer.name), twin = exact.find(layer.name);
    if (!layer.integer || !conv_desc(lowered, static_cast<int>(i)) || unfolded < 0 || twin < 0) continue;
    const int input = expanded.node(unfolded).inputs[0];
    const Channels& known = moments[static_cast<std::size_t>(input)];
    if (known.empty()) continue;
    const Node& float_layer = exact.node(twin);
    const Node& source = lowered.node(layer.inputs[0]);
    std::vector<float> bias = bias_or_zeros(float_layer);
    for (std::size_t k = 0; k < bias.size(); ++k) {
      const Shift shift = mean_shift(layer, source, float_layer, known, k);
      bias[k] = static_cast<float>(whole_steps(bias[k] - shift.error, shift.step));
    }
    table.corrections[layer.name].bias = std::move(bias);
    ++corrected;
  }
  if (corrected == 0) {
    fail_usage("{}: analytic bias correction needs layers behind a batch norm, and it has none", bound.name);
  }
}

}  // namespace gpueval
