// SPDX-License-Identifier: Apache-2.0
#include "report/cells.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "task/statistics.h"

namespace gpueval {
namespace {

std::string interval_text(const Interval& fraction) {
  return fmt::format("{:.1f}..{:.1f}", 100 * fraction.low, 100 * fraction.high);
}

// The task's metrics, then "95% CI", "diff", "p", "agree".
std::vector<std::string> accuracy_cells(const Report& report, const RunReport& run, std::size_t metrics) {
  std::vector<std::string> cells(metrics + 4);
  if (run.accuracy) {
    for (std::size_t i = 0; i < metrics; ++i) cells[i] = metric_cell(report, run, i);
    if (const auto& ci = run.accuracy->metrics.front().ci95) cells[metrics] = interval_text(*ci);
  }
  if (run.vs_first) {
    cells[metrics + 1] = fmt::format("{:+.2f}", 100 * run.vs_first->diff);
    cells[metrics + 2] = significance_cell(*run.vs_first);
    cells[metrics + 3] = fmt::format("{:.1f}%", 100 * run.vs_first->agreement);
  }
  return cells;
}

std::vector<std::string> speed_cells(const RunReport& run, const std::vector<double>& percentiles) {
  std::vector<std::string> cells(percentiles.size() + 2);
  if (!run.speed) return cells;
  cells[0] = rate_with_verdict(*run.speed);
  if (run.speed->emulated) return cells;
  for (std::size_t i = 0; i < percentiles.size(); ++i) {
    cells[1 + i] = milliseconds(run.speed->percentile_ms(percentiles[i]));
  }
  if (run.speed->vs_first) cells.back() = fmt::format("{:.2f}x", run.speed->vs_first->ratio);
  return cells;
}

// "classes -> logits, again": the network's outputs that the layer's tensor is.
std::string layer_name(const LayerInfo& layer) {
  return layer.outputs.empty() ? layer.name : fmt::format("{} -> {}", layer.name, fmt::join(layer.outputs, ", "));
}

}  // namespace

std::string significance_cell(const PairedComparison& paired) { return paired.p ? p_value_text(*paired.p) : ""; }
std::string metric_cell(const Report& report, const RunReport& run, std::size_t metric) {
  if (!find_task(report.task).tells(metric, report.model.classes)) return "-";
  const double value = run.accuracy->metrics[metric].value;
  return std::isnan(value) ? "-" : percent(value);
}
std::string percent(double fraction) { return fmt::format("{:.2f}%", 100 * fraction); }
std::string milliseconds(double ms) { return ms < 100 ? fmt::format("{:.2f}", ms) : fmt::format("{:.0f}", ms); }
std::string rate(double per_second) {
  return per_second < 100 ? fmt::format("{:.2f}", per_second) : fmt::format("{:.0f}", per_second);
}
std::string decibels(double sqnr_db) {
  if (std::isinf(sqnr_db)) return sqnr_db > 0 ? "exact" : "-inf";
  return fmt::format("{:.1f}", sqnr_db);
}

std::string verdict_text(const SpeedResult& speed) { return speed.emulated ? "emulated" : to_string(speed.verdict()); }
std::string rate_with_verdict(const SpeedResult& speed) {
  if (speed.emulated) return "emulated";
  const std::string text = rate(speed.images_per_second);
  return speed.verdict() == SpeedVerdict::kValid ? text : fmt::format("{} {}", to_string(speed.verdict()), text);
}
std::string doubt(const RunReport& run) {
  const auto verdict = run.verdict();
  return verdict && *verdict != SpeedVerdict::kValid ? fmt::format(" ({})", to_string(*verdict)) : "";
}

std::string layer_doubt(const Report& report) {
  if (!report.layer_conditions) return "";
  const std::vector<std::string> noise = report.layer_conditions->noise();
  return noise.empty() ? "" : fmt::format(" (NOISY: {})", fmt::join(noise, "; "));
}

const RunReport& baseline(const Report& report, const RunReport& run) {
  return *std::find_if(report.runs.begin(), report.runs.end(),
                       [&](const RunReport& first) { return !run.shows_batch || first.batch == run.batch; });
}

bool repeats(const Report& report, const RunReport& run) {
  return run.shows_batch && run.batch != report.runs.front().batch;
}

std::string batches_text(const Report& report) {
  std::string text;
  int last = 0;
  for (const RunReport& run : report.runs) {
    if (run.batch != last) text += fmt::format("{}{}", last == 0 ? "" : ", ", run.batch);
    last = run.batch;
  }
  return text;
}

std::string network_name(const ModelReport& model) {
  return model.has_alpha ? fmt::format("{} {:g}", model.name, model.alpha) : model.name;
}

TextTable result_table(const Report& report) {
  TextTable table;
  table.column("precision", TextTable::Align::kLeft);
  const std::vector<std::string> metrics = find_task(report.task).metric_names();
  for (const std::string& metric : metrics) table.column(metric);
  for (const char* title : {"95% CI", "diff", "p", "agree", "images/s"}) table.column(title);
  for (const double percentile : report.percentiles) table.column(fmt::format("p{:g} ms", percentile));
  table.column("speed");
  for (const RunReport& run : report.runs) {
    std::vector<std::string> cells{run.label()};
    for (std::string& cell : accuracy_cells(report, run, metrics.size())) cells.push_back(std::move(cell));
    for (std::string& cell : speed_cells(run, report.percentiles)) cells.push_back(std::move(cell));
    table.row(std::move(cells));
  }
  return table;
}

TextTable layer_error_table(const RunReport& run) {
  TextTable table;
  table.column("layer", TextTable::Align::kLeft);
  table.column("operation", TextTable::Align::kLeft);
  for (const char* title : {"SQNR dB", "cosine", "range used", "saturated"}) table.column(title);
  for (const LayerReport& layer : run.layers) {
    if (!layer.error) continue;
    const LayerErrorReport& error = *layer.error;
    table.row({layer_name(layer.info), layer.info.op, decibels(error.sqnr_db), fmt::format("{:.5f}", error.cosine),
               error.range_used ? fmt::format("{:.1f}%", 100 * *error.range_used) : "",
               error.saturation ? fmt::format("{:.3f}%", 100 * *error.saturation) : ""});
  }
  return table;
}

double layers_ms(const RunReport& run) {
  double total = 0;
  for (const LayerReport& layer : run.layers) total += layer.ms.value_or(0);
  return total;
}

TextTable layer_time_table(const RunReport& run) {
  TextTable table;
  for (const char* title : {"layer", "kernel", "shape"}) table.column(title, TextTable::Align::kLeft);
  for (const char* title : {"ms", "Mop", "GOPS", "roof", "GB/s", "share"}) table.column(title);
  const double total = layers_ms(run);
  for (const LayerReport& layer : run.layers) {
    const double ms = layer.ms.value_or(0);
    const double ops = static_cast<double>(layer.info.ops) * run.batch;
    const bool counted = layer.info.ops > 0;
    table.row({layer_name(layer.info), layer.info.kernel, layer.info.shape, layer.ms ? fmt::format("{:.3f}", ms) : "",
               counted ? fmt::format("{:.1f}", ops / 1e6) : "",
               counted && ms > 0 ? fmt::format("{:.1f}", ops / ms / 1e6) : "",
               counted && layer.profile ? fmt::format("{:.0f}%", layer.profile->compute_percent) : "",
               layer.profile && layer.profile->gbs > 0 ? fmt::format("{:.1f}", layer.profile->gbs) : "",
               total > 0 ? fmt::format("{:.1f}%", 100 * ms / total) : ""});
  }
  return table;
}

std::string roof_sentence(const DeviceRoofs& roofs) {
  // Whole numbers, but never a 0 for what was measured.
  const auto figure = [](double gops) {
    return gops < 100 ? fmt::format("{:.3g}", gops) : fmt::format("{:.0f}", gops);
  };
  const std::string doubts = roofs.remarks.empty() ? "" : fmt::format(" NOISY: {}.", fmt::join(roofs.remarks, "; "));
  return fmt::format("Roofs of this machine, measured ({}): int8 {} GOPS, float32 {} GFLOPS, copy {} GB/s.{}",
                     roofs.unit, figure(roofs.int8_gops), figure(roofs.f32_gflops),
                     roofs.copy_gbs < 1 ? figure(roofs.copy_gbs) : fmt::format("{:.1f}", roofs.copy_gbs), doubts);
}

TextTable trial_table(const std::vector<SchemeTrial>& trials) {
  TextTable table;
  table.column("recipe", TextTable::Align::kLeft);
  for (const char* title : {"SQNR dB", "KL", "agree"}) table.column(title);  // empty columns are left out
  table.column("picked", TextTable::Align::kLeft);
  for (const SchemeTrial& trial : trials) {
    table.row({trial.name, decibels(trial.sqnr_db), trial.kl ? fmt::format("{:.4f}", *trial.kl) : "",
               trial.agreement ? fmt::format("{:.1f}%", 100 * *trial.agreement) : "", trial.picked ? "yes" : ""});
  }
  return table;
}

bool has_layer_errors(const RunReport& run) {
  return std::any_of(run.layers.begin(), run.layers.end(), [](const LayerReport& l) { return l.error.has_value(); });
}

bool has_layer_times(const RunReport& run) {
  return std::any_of(run.layers.begin(), run.layers.end(), [](const LayerReport& l) { return l.ms.has_value(); });
}

std::string output_error_sentence(const Report& report, const RunReport& run) {
  const LogitError& error = run.vs_first->logits;
  const bool logits = find_task(report.task).truth() == TruthKind::kClass;  // only those have a softmax and its KL
  return fmt::format("{}: {} SQNR {} dB{} against {}.", run.label(), logits ? "logits'" : "outputs'",
                     decibels(error.sqnr_db()), logits ? fmt::format(", KL {:.4f}", error.mean_kl()) : "",
                     report.runs.front().label());
}

std::string quantization_text(const QuantizationReport& q) {
  std::string text = q.scheme;
  if (q.percentile) text += fmt::format(" {:g}%", *q.percentile);
  if (!q.activations.empty()) text += fmt::format(", {} activations", q.activations);
  if (q.calibration_images > 0) text += fmt::format(", {} calibration images", q.calibration_images);
  text += q.corrections.empty() ? "; no corrections" : fmt::format("; {}", fmt::join(q.corrections, ", "));
  if (!q.float_layers.empty()) text += fmt::format("; in float32: {}", fmt::join(q.float_layers, ", "));
  return text;
}

std::string warning_lines(const std::vector<std::string>& warnings, std::size_t width) {
  std::string text;
  for (const std::string& warning : warnings) text += wrapped("WARNING: " + warning, width, 9);
  return text;
}

}  // namespace gpueval
