// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <sstream>

#include "gpueval/error.h"
#include "gpueval/recipe.h"

namespace gpueval {
namespace {

constexpr std::array<CorrectionSwitch, 8> kSwitches{{
    {"bias-correction", &Corrections::bias, "put the mean error of each channel into its bias, layer by layer"},
    {"bias-after-activation", &Corrections::bias_after_activation, "then match the mean behind ReLU or ReLU6"},
    {"analytic-bias", &Corrections::analytic_bias,
     "in their place: the mean error that batch norms predict, no images"},
    {"channel-scales", &Corrections::channel_scales, "a scale for each channel of an activation, where possible"},
    {"clip-search", &Corrections::clip_search, "clip activations where the squared error is least"},
    {"gptq", &Corrections::gptq, "round weights so that their errors make up for each other"},
    {"asymmetric", &Corrections::asymmetric, "gptq: make up for the error of the layer's input too"},
    {"flips", &Corrections::flips, "calibrate on mirrored copies of the images too"},
}};

const CorrectionSwitch& find_switch(const std::string& name) {
  for (const CorrectionSwitch& row : kSwitches) {
    if (name == row.name) return row;
  }
  fail("'{}' is no correction that this version has", name);
}

void check_corrections(const Corrections& c) {
  if (c.asymmetric && !c.gptq) fail_usage("asymmetric needs gptq: it is the target of gptq's rounding");
  if (c.bias_after_activation && !c.bias) {
    fail_usage("bias-after-activation needs bias-correction: it goes on from there");
  }
  if (c.analytic_bias && c.bias) fail_usage("analytic-bias contradicts bias-correction, which finds it on images");
}

QuantOptions known_recipe(const CalibrationTable& table, const std::string& path) {
  try {
    return recipe_of(table);
  } catch (const Error& error) {
    fail("{}: the scheme '{}' of the table is unknown: {}", path, table.scheme, error.what());
  }
}

}  // namespace

std::span<const CorrectionSwitch> correction_switches() { return kSwitches; }

std::string recipe_text(const QuantOptions& quant) {
  std::string text = to_string(quant.scheme);
  if (quant.scheme == Scheme::kPercentile) text += fmt::format(" {}", quant.percentile);
  const Corrections usual = default_corrections(quant.scheme);
  for (const CorrectionSwitch& row : kSwitches) {
    if (quant.corrections.*row.member == usual.*row.member) continue;
    text += fmt::format(" {}{}", quant.corrections.*row.member ? '+' : '-', row.name);
  }
  return text;
}

QuantOptions parse_recipe(const std::string& text) {
  std::istringstream words(text);
  std::string word;
  words >> word;
  QuantOptions quant;
  quant.scheme = parse_scheme(word);
  quant.corrections = default_corrections(quant.scheme);
  if (quant.scheme == Scheme::kPercentile) words >> quant.percentile;
  while (words >> word) {
    if (word.front() != '+' && word.front() != '-') fail("'{}' is no recipe that this version has", text);
    quant.corrections.*find_switch(word.substr(1)).member = word.front() == '+';
  }
  return quant;
}

QuantOptions recipe_of(const CalibrationTable& table) {
  QuantOptions quant = parse_recipe(table.scheme);
  quant.activations = table.activations == "s8" ? DType::kS8 : DType::kU8;
  return quant;
}

bool RecipeRequest::chooses() const { return scheme || automatic || percentile || !corrections.empty(); }

RecipeRequest with_table(RecipeRequest request, const CalibrationTable& table, const std::string& path) {
  const QuantOptions made = known_recipe(table, path);
  if (!request.activations) request.activations = made.activations;
  if (request.scheme || request.automatic) return request;
  request.scheme = made.scheme;
  if (made.scheme == Scheme::kPercentile && !request.percentile) request.percentile = made.percentile;
  for (const CorrectionSwitch& row : kSwitches) request.corrections.emplace(row.name, made.corrections.*row.member);
  return request;
}

QuantOptions settle(const RecipeRequest& request, Scheme usual) {
  GPUEVAL_CHECK(!request.automatic, "an automatic recipe has no options before it has been picked");
  QuantOptions quant;
  quant.scheme = request.scheme.value_or(usual);
  quant.activations = request.activations.value_or(quant.activations);
  quant.depthwise_int8 = request.depthwise_int8;
  quant.percentile = request.percentile.value_or(quant.percentile);
  quant.corrections = default_corrections(quant.scheme);
  quant.float_layers = request.float_layers;
  Corrections& c = quant.corrections;
  for (const auto& [name, on] : request.corrections) c.*find_switch(name).member = on;
  // Switching off what a default builds on switches that off too; what was asked for must not contradict.
  if (!c.gptq && !request.corrections.contains("asymmetric")) c.asymmetric = false;
  if (c.analytic_bias && !request.corrections.contains("bias-correction")) c.bias = false;
  if (!c.bias && !request.corrections.contains("bias-after-activation")) c.bias_after_activation = false;
  check_corrections(c);
  return quant;
}

std::optional<std::string> rounding_note(const Graph& bound, const QuantOptions& quant) {
  const std::vector<std::string> layers = uncompensated_layers(bound, quant);
  if (layers.empty()) return std::nullopt;
  return fmt::format("gptq leaves {} of {} rounded to the nearest: more than 4,608 inputs an output.",
                     fmt::join(layers, ", "), bound.name);
}

}  // namespace gpueval
