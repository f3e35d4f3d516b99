// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <utility>

#include "gpueval/report.h"
#include "report/cells.h"
#include "report/html_page.h"
#include "report/image_sentences.h"
#include "report/markup.h"
#include "report/svg_chart.h"
#include "report/text_table.h"

namespace gpueval {
namespace {

constexpr std::size_t kWidth = 110;

void add_cells(std::vector<std::string>& cells, const Trial& trial, const std::optional<double>& float32) {
  cells.push_back(fmt::format("{:.1f}%", 100 * trial.agreement));
  cells.push_back(decibels(trial.sqnr_db));
  cells.push_back(trial.headline && float32 ? fmt::format("{:+.2f}", 100 * (*trial.headline - *float32)) : "");
}

// Whose error the SQNR is of.
std::string whose(const SensitivityReport& report) { return report.task == "classification" ? "logits'" : "outputs'"; }

TextTable layers_table(const SensitivityReport& report) {
  TextTable table;
  table.column("rank");
  for (const char* title : {"layer", "operation"}) table.column(title, TextTable::Align::kLeft);
  for (const std::string& title : {std::string("Mop"), std::string("alone"), std::string("SQNR dB"), report.metric,
                                   std::string("all but it"), std::string("SQNR dB"), report.metric})
    table.column(title);
  const std::vector<LayerSensitivity>& layers = report.found.layers;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerSensitivity& row = layers[i];
    std::vector<std::string> cells{std::to_string(i + 1), row.name, row.op,
                                   fmt::format("{:.1f}", 2 * static_cast<double>(row.multiply_adds) / 1e6)};
    add_cells(cells, row.alone, report.float_headline);
    add_cells(cells, row.rest, report.float_headline);
    table.row(std::move(cells));
  }
  return table;
}

std::string trial_text(const SensitivityReport& report, const Trial& trial) {
  std::string text =
      fmt::format("agreement {:.1f}%, {} SQNR {} dB", 100 * trial.agreement, whose(report), decibels(trial.sqnr_db));
  if (trial.headline) text += fmt::format(", {} {}", report.metric, percent(*trial.headline));
  return text;
}

TextTable speed_table(const MixedReport& mixed) {
  TextTable table;
  table.column("network", TextTable::Align::kLeft);
  table.column("images/s");
  table.column("verdict", TextTable::Align::kLeft);
  for (const char* title : {"p50 ms", "speed"}) table.column(title);
  for (const MixedSpeed& row : mixed.speed) {
    if (row.speed.emulated) {
      table.row({row.label, "", verdict_text(row.speed), "", ""});
      continue;
    }
    table.row({row.label, rate(row.speed.images_per_second), verdict_text(row.speed),
               milliseconds(row.speed.percentile_ms(50)),
               row.speed.vs_first ? fmt::format("{:.2f}x", row.speed.vs_first->ratio) : ""});
  }
  return table;
}

// Why a speed is NOISY or INVALID, and what helps.
std::vector<std::string> speed_sentences(const SensitivityReport& report) {
  std::vector<std::string> text;
  const MixedReport& mixed = *report.mixed;
  for (const MixedSpeed& row : mixed.speed) {
    if (row.speed.emulated) return {fmt::format("Speed: {}.", kEmulated)};
    for (const std::string& clause : row.speed.noise) text.push_back(fmt::format("NOISY: {}: {}.", row.label, clause));
    for (const std::string& clause : row.speed.reasons)
      text.push_back(fmt::format("INVALID: {}: {}.", row.label, clause));
  }
  if (!mixed.conditions) return text;
  for (const std::string& clause : mixed.conditions->noise()) text.push_back(fmt::format("NOISY: {}.", clause));
  if (std::string advice = mixed.conditions->advice(report.host.threads); !advice.empty())
    text.push_back(std::move(advice));
  return text;
}

std::vector<std::string> sentences(const SensitivityReport& report) {
  std::vector<std::string> text;
  text.push_back(fmt::format("Quantization: {}.", quantization_text(report.quantization)));
  if (report.calibration) {
    for (std::string& sentence : calibration_sentences(*report.calibration)) text.push_back(std::move(sentence));
  }
  text.push_back(fmt::format("Every layer int8: {}.", trial_text(report, report.found.all_int8)));
  const std::string float32 = report.float_headline ? fmt::format(" of {}", percent(*report.float_headline)) : "";
  text.push_back(fmt::format(
      "alone: agreement with float32 ({}) where only this layer is int8; all but it: where only this layer "
      "is float32. {}: points against float32's{}. Most sensitive first, by the error of the outputs that a "
      "layer brings and takes along.",
      find_task(report.task).same_answer(), report.metric, float32));
  text.insert(text.end(), report.notes.begin(), report.notes.end());
  text.insert(text.end(), report.host.notes.begin(), report.host.notes.end());
  return text;
}

std::vector<std::string> mixed_sentences(const SensitivityReport& report) {
  if (!report.mixed) return {};
  const MixedReport& mixed = *report.mixed;
  std::vector<std::string> text;
  const std::string goal = fmt::format("Target: at most {:g} points of {} lost. On the {} images that chose,",
                                       mixed.target_points, report.metric, report.images);
  if (mixed.float_layers.empty()) {
    text.push_back(
        fmt::format("{} every layer int8 reaches it: loss {:.2f} points.", goal, mixed.choosing_loss_points));
  } else {
    text.push_back(fmt::format("{} {} of {} layers in float32 reach it, loss {:.2f} points: {}.", goal,
                               mixed.float_layers.size(), report.found.layers.size(), mixed.choosing_loss_points,
                               fmt::join(mixed.float_layers, ", ")));
    text.push_back(fmt::format("Use them with --float-layers {}.", fmt::join(mixed.float_layers, ",")));
  }
  text.push_back(fmt::format("Judged on {} other images: loss {:.2f} points ({:.2f} with every layer int8), {}.",
                             mixed.images, mixed.loss_points, mixed.int8_loss_points, trial_text(report, mixed.trial)));
  if (mixed.loss_points > mixed.target_points) {
    text.push_back(
        "That is above the target: the images that chose were too few or too different. More of them "
        "(--choosing-images) or a lower target leave a margin.");
  }
  return text;
}

}  // namespace

std::string to_text(const SensitivityReport& report) {
  std::string text = fmt::format("gpu_eval {} ({})\n", report.tool.version, report.tool.revision);
  text += wrapped(
      fmt::format("{}, {} images of {}", network_name(report.model), report.images, shortened_path(report.data, 60)),
      kWidth, 2);
  text += '\n' + layers_table(report).text() + '\n' + warning_lines(report.warnings, kWidth);
  for (const std::string& sentence : sentences(report)) text += wrapped(sentence, kWidth, 2);
  for (const std::string& sentence : mixed_sentences(report)) text += wrapped(sentence, kWidth, 2);
  if (report.mixed && !report.mixed->speed.empty()) {
    text += '\n' + speed_table(*report.mixed).text() + '\n';
    for (const std::string& sentence : speed_sentences(report)) text += wrapped(sentence, kWidth, 2);
  }
  return text;
}

std::string to_html(const SensitivityReport& report) {
  std::string body = fmt::format("<h1>{}: sensitivity of each layer</h1>\n", escaped(network_name(report.model)));
  body += html_paragraph(fmt::format("{} images of {}", report.images, report.data), "sub");
  std::string mixed;
  for (const std::string& sentence : mixed_sentences(report)) mixed += html_paragraph(sentence);
  if (report.mixed && !report.mixed->speed.empty()) {
    mixed += speed_table(*report.mixed).html();
    for (const std::string& sentence : speed_sentences(report)) mixed += html_paragraph(sentence, "warn");
  }
  body += html_section("Mixed precision", mixed);
  std::vector<Bar> bars;
  for (const LayerSensitivity& row : report.found.layers) {
    const double sqnr = row.alone.sqnr_db;
    bars.push_back({row.name, decibels(sqnr) + (std::isinf(sqnr) ? "" : " dB"), std::isinf(sqnr) ? 0 : sqnr});
  }
  body += html_section("SQNR of the outputs with only this layer int8 (lower is worse)", bar_chart(bars, 0));
  std::string notes;
  for (const std::string& sentence : sentences(report)) notes += html_paragraph(sentence, "note");
  body += html_section("Layers, most sensitive first",
                       layers_table(report).html() + html_warnings(report.warnings) + notes);
  body += html_environment(report.tool, report.host, "", report.command);
  return html_page("gpu_eval: sensitivity of " + network_name(report.model), body);
}

}  // namespace gpueval
