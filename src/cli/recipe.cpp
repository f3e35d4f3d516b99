// SPDX-License-Identifier: Apache-2.0
#include "cli/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <sstream>

#include "gpueval/error.h"

namespace gpueval::cli {
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

void check_switches(const QuantOptions& quant) {
  const Corrections& c = quant.corrections;
  if (c.asymmetric && !c.gptq) fail_usage("--asymmetric needs --gptq: it is the target of gptq's rounding");
  if (c.bias_after_activation && !c.bias) {
    fail_usage("--bias-after-activation needs --bias-correction: it goes on from there");
  }
  if (c.analytic_bias && c.bias) fail_usage("--analytic-bias contradicts --bias-correction, which finds it on images");
}

}  // namespace

std::span<const CorrectionSwitch> correction_switches() { return kSwitches; }

bool is_auto(const Options& options) { return options.scheme == "auto"; }

QuantOptions quant_options(const Options& options) {
  GPUEVAL_CHECK(!is_auto(options), "--scheme auto has no options before it has picked");
  QuantOptions quant;
  quant.scheme = parse_scheme(options.scheme);
  quant.activations = options.activations == "s8" ? DType::kS8 : DType::kU8;
  quant.depthwise_int8 = options.depthwise == "int8";
  quant.percentile = options.calibration_percentile.value_or(quant.percentile);
  quant.corrections = default_corrections(quant.scheme);
  quant.float_layers = options.float_layers;
  Corrections& c = quant.corrections;
  for (const auto& [name, on] : options.corrections) c.*find_switch(name).member = on;
  // Switching off what a default builds on switches that off too; what was typed must not contradict.
  if (!c.gptq && !options.corrections.contains("asymmetric")) c.asymmetric = false;
  if (c.analytic_bias && !options.corrections.contains("bias-correction")) c.bias = false;
  if (!c.bias && !options.corrections.contains("bias-after-activation")) c.bias_after_activation = false;
  check_switches(quant);
  return quant;
}

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

QuantizationReport quantization_report(const QuantOptions& quant, int calibration_images) {
  QuantizationReport report;
  report.scheme = to_string(quant.scheme);
  report.activations = quant.activations == DType::kS8 ? "s8" : "u8";
  for (const CorrectionSwitch& row : kSwitches) {
    if (quant.corrections.*row.member) report.corrections.emplace_back(row.name);
  }
  report.calibration_images = calibration_images;
  if (quant.scheme == Scheme::kPercentile) report.percentile = quant.percentile;
  report.float_layers = quant.float_layers;
  return report;
}

std::optional<std::string> rounding_note(const Graph& bound, const QuantOptions& quant) {
  const std::vector<std::string> layers = uncompensated_layers(bound, quant);
  if (layers.empty()) return std::nullopt;
  return fmt::format("gptq leaves {} of {} rounded to the nearest: more than 4,608 inputs an output.",
                     fmt::join(layers, ", "), bound.name);
}

void adopt_table(Options& options) {
  if (options.calibration_table.empty() || options.command == Command::kCalibrate || !options.has_int8()) return;
  if (options.given.contains("--scheme") && options.given.contains("--activations")) return;
  const CalibrationTable table = load_table(options.calibration_table);
  if (!options.given.contains("--activations")) options.activations = table.activations;
  if (options.given.contains("--scheme")) return;
  try {
    const QuantOptions quant = parse_recipe(table.scheme);
    options.scheme = to_string(quant.scheme);
    if (quant.scheme == Scheme::kPercentile) options.calibration_percentile = quant.percentile;
    // What was typed stays, and is refused with the table if it differs.
    for (const CorrectionSwitch& row : kSwitches) options.corrections.emplace(row.name, quant.corrections.*row.member);
  } catch (const Error& error) {
    fail("{}: the scheme '{}' of the table is unknown: {}", options.calibration_table, table.scheme, error.what());
  }
}

}  // namespace gpueval::cli
