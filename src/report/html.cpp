// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "gpueval/report.h"
#include "report/cells.h"
#include "report/class_table.h"
#include "report/conclusion.h"
#include "report/curve_section.h"
#include "report/gallery_section.h"
#include "report/html_page.h"
#include "report/image_sentences.h"
#include "report/markup.h"
#include "report/svg_chart.h"
#include "task/statistics.h"

namespace gpueval {
namespace {

std::string heading(const Report& report) {
  std::string text = fmt::format("<h1>{}</h1>\n", escaped(network_name(report.model)));
  text += html_paragraph(
      fmt::format("{} parameters, {} million multiply-adds, input {} x {}", grouped(report.model.parameters),
                  grouped((report.model.multiply_adds + 500'000) / 1'000'000), report.model.input.h,
                  report.model.input.w),
      "sub");
  for (std::size_t i = 1; i < report.runs.size(); ++i) {
    const std::string sentence = conclusion(find_task(report.task), report.runs[i], baseline(report, report.runs[i]));
    if (!sentence.empty()) text += html_paragraph(sentence, "lead");
  }
  return text;
}

// What disturbed the times, and why a row is NOISY or INVALID.
std::string speed_paragraphs(const Report& report) {
  std::string text;
  const bool emulated =
      std::any_of(report.runs.begin(), report.runs.end(), [](const RunReport& r) { return r.emulated(); });
  if (emulated) text += html_paragraph(fmt::format("Speed: {}.", kEmulated), "warn");
  if (report.conditions && !emulated) {
    for (const std::string& clause : report.conditions->noise())
      text += html_paragraph(fmt::format("NOISY: during the speed part {}.", clause), "warn");
    if (report.conditions->gpu) {
      for (const std::string& clause : report.conditions->gpu->limits())
        text += html_paragraph(fmt::format("During the speed part {}.", clause), "note");
    }
    if (const std::string advice = report.conditions->advice(report.host.threads); !advice.empty())
      text += html_paragraph(advice, "note");
  }
  for (const RunReport& run : report.runs) {
    const auto add = [&](const char* before, const std::vector<std::string>& clauses, const char* css_class) {
      for (const std::string& clause : clauses)
        text += html_paragraph(fmt::format("{}{}: {}.", before, run.label(), clause), css_class);
    };
    if (run.speed && !run.emulated()) add("", run.speed->warnings, "note");
    if (run.speed && !run.emulated()) add("NOISY: ", run.speed->noise, "warn");
    if (run.speed) add("INVALID: ", run.speed->reasons, "warn");
    if (run.server) add("INVALID: ", run.server->reasons, "warn");
  }
  return text;
}

std::string result_section(const Report& report) {
  std::string text = result_table(report).html() + html_warnings(report.warnings);
  if (report.runs.size() > 1 && report.runs[1].vs_first) {
    text += html_paragraph(find_task(report.task).legend(report.runs.front().label()), "note");
  }
  for (const RunReport& run : report.runs) {
    if (run.vs_first && run.vs_first->logits.images > 0) {
      text += html_paragraph(output_error_sentence(report, run), "note");
    }
    if (run.quantization) {
      text += html_paragraph(fmt::format("{}: {}.", run.label(), quantization_text(*run.quantization)), "note");
    }
  }
  for (const auto* notes : {&report.notes, &report.host.notes}) {
    for (const std::string& note : *notes) text += html_paragraph(note, "note");
  }
  if (report.interrupted) text += html_paragraph("Interrupted: the result covers what was done until then.", "warn");
  text += speed_paragraphs(report);
  return html_section("Result", text);
}

std::string class_section(const Report& report) {
  const ClassTable classes = class_table(report);
  return classes.title.empty() ? "" : html_section(classes.title, classes.table.html());
}

std::string trial_section(const Report& report) {
  if (!report.calibration || report.calibration->trials.empty()) return "";
  const std::vector<SchemeTrial>& trials = report.calibration->trials;
  return html_section(
      "Recipes tried",
      html_paragraph(fmt::format(
          "Calibrated on {} of the calibration images, measured on the other {}; the judged images were not used.",
          trials[0].calibrated, trials[0].measured)) +
          trial_table(trials).html());
}

std::string accuracy_axis(const Report& report) { return find_task(report.task).metric_names().front() + ", percent"; }

std::string scatter_section(const Report& report) {
  std::vector<ScatterPoint> points;
  for (const RunReport& run : report.runs) {
    if (!run.accuracy || !run.speed || run.emulated()) continue;
    points.push_back({run.label() + doubt(run), "", run.speed->images_per_second, run.accuracy->headline(),
                      run.accuracy->metrics.front().ci95});
  }
  return html_section("Accuracy against speed",
                      scatter_chart(points, {"images per second", 1, true}, {accuracy_axis(report), 100, false}));
}

std::string server_section(const Report& report) {
  std::string text;
  for (const RunReport& run : report.runs) {
    if (!run.server || run.emulated()) continue;
    TextTable table;
    for (const char* title : {"queries/s", "p50 ms", "p90 ms", "p99 ms", "images a run", "queries"})
      table.column(title);
    table.column("bound", TextTable::Align::kLeft);
    for (const ServerTrial& trial : run.server->trials) {
      table.row({rate(trial.rate), milliseconds(trial.p50_ms), milliseconds(trial.p90_ms), milliseconds(trial.p99_ms),
                 fmt::format("{:.2f}", trial.mean_batch), grouped(trial.queries),
                 trial.met        ? "kept"
                 : trial.complete ? "missed"
                                  : "missed, ended early"});
    }
    text += fmt::format("<h3>{}: {} queries/s{} within {:g} ms (p{:g})</h3>\n{}", escaped(run.label()),
                        rate(run.server->queries_per_second), doubt(run), run.server->latency_bound_ms,
                        run.server->percentile, table.html());
  }
  return html_section("Server scenario: random arrivals", text);
}

std::string latency_section(const Report& report) {
  std::vector<LatencyBox> boxes;
  for (const RunReport& run : report.runs) {
    if (!run.speed || run.emulated()) continue;
    const SpeedResult& speed = *run.speed;
    boxes.push_back({run.label() + doubt(run), speed.min_ms, speed.percentile_ms(50), speed.percentile_ms(90),
                     speed.percentile_ms(99), speed.max_ms});
  }
  std::string text = latency_chart(boxes);
  if (!text.empty()) {
    text += html_paragraph("Line to the least and to p99, box to p90, mark at the median.", "note");
  }
  return html_section("Latency", text);
}

double slowest_layer(const Report& report) {
  double most = 0;
  for (const RunReport& run : report.runs) {
    for (const LayerReport& layer : run.layers) most = std::max(most, layer.ms.value_or(0));
  }
  return most;
}

std::string time_bars(const Report& report, const RunReport& run, std::size_t color) {
  std::vector<Bar> bars;
  for (const LayerReport& layer : run.layers) {
    const double ms = layer.ms.value_or(0);
    bars.push_back({layer.info.name, fmt::format("{:.3f} ms", ms), ms});
  }
  return fmt::format("<h3>{}: time of each layer, batch {}, {:.3f} ms together{}</h3>\n{}", escaped(run.label()),
                     run.batch, layers_ms(run), escaped(layer_doubt(report)),
                     bar_chart(bars, static_cast<int>(color), slowest_layer(report)));
}

std::string error_bars(const Report& report, const RunReport& run, std::size_t color) {
  std::vector<Bar> bars;
  for (const LayerReport& layer : run.layers) {
    if (!layer.error) continue;
    const double sqnr = layer.error->sqnr_db;
    bars.push_back({layer.info.name, decibels(sqnr) + (std::isinf(sqnr) ? "" : " dB"), std::isinf(sqnr) ? 0 : sqnr});
  }
  return fmt::format(
      "<h3>{}: SQNR of each layer against float32, {} images (higher is better)</h3>\n{}"
      "<details><summary>All errors as a table</summary>\n{}</details>\n",
      escaped(run.label()), report.layer_error_images, bar_chart(bars, static_cast<int>(color)),
      layer_error_table(run).html());
}

std::string slow_layers(const RunReport& run) {
  TextTable table;
  for (const char* title : {"layer", "why it is slow"}) table.column(title, TextTable::Align::kLeft);
  table.column("of the time");
  const double total = layers_ms(run);
  bool any = false;
  for (const LayerReport& layer : run.layers) {
    if (!layer.profile || layer.profile->remark.empty()) continue;
    table.row({layer.info.name, layer.profile->remark, fmt::format("{:.1f}%", 100 * *layer.ms / total)});
    any = true;
  }
  return any ? fmt::format("<h3>{}: slow layers</h3>\n{}", escaped(run.label()), table.html()) : "";
}

std::string roofline_section(const Report& report) {
  if (!report.roofs) return "";
  std::vector<RooflinePoint> points;
  std::string remarks;
  for (const RunReport& run : report.runs) {
    const double total = layers_ms(run);
    for (const LayerReport& layer : run.layers) {
      if (!layer.profile || layer.profile->gops <= 0) continue;
      points.push_back(
          {layer.info.name, run.label(), layer.profile->intensity, layer.profile->gops, *layer.ms / total});
    }
    remarks += slow_layers(run);
  }
  const std::string chart = roofline_chart(
      points, {{"int8", report.roofs->int8_gops}, {"float32", report.roofs->f32_gflops}}, report.roofs->copy_gbs);
  if (chart.empty()) return "";
  const std::string note =
      layer_doubt(report) +
      " A disc is a layer, its area the share of the time; layers above the slope work in the caches.";
  return html_section("Roofline", chart + html_paragraph(roof_sentence(*report.roofs) + note, "note") + remarks);
}

std::string layer_sections(const Report& report) {
  std::string times, errors;
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunReport& run = report.runs[i];
    if (has_layer_times(run)) times += time_bars(report, run, i);
    if (has_layer_errors(run)) errors += error_bars(report, run, i);
  }
  return html_section("Error layer by layer", errors) + roofline_section(report) +
         html_section("Time layer by layer", times);
}

std::string facts_section(const Report& report) {
  Facts facts{{"Weights", report.model.weights},
              {"Weights' SHA-256", report.model.weights_sha256},
              {"Variant", report.model.variant}};
  if (report.data) {
    const DataReport& data = *report.data;
    facts.emplace_back("Data", data.path);
    facts.emplace_back("Judged images", judged_text(data));
    facts.emplace_back("Preprocessing", data.preprocessing);
    facts.emplace_back("Labels", data.label_mapping);
    if (!data.skipped.empty()) facts.emplace_back("Not decodable", std::to_string(data.skipped.size()) + " images");
  }
  if (report.calibration)
    facts.emplace_back("Calibration", fmt::format("{}", fmt::join(calibration_sentences(*report.calibration), " ")));
  if (const auto verdict = report.verdict()) {
    facts.emplace_back("Timed on", report.speed_input == "data" ? "images of the data" : "synthetic images");
    facts.emplace_back("Speed measurement is", to_string(*verdict));
  }
  return html_section("Network and data", html_facts(facts));
}

}  // namespace

std::string to_html(const Report& report) {
  std::string body = heading(report) + result_section(report) + class_section(report) + curve_section(report) +
                     gallery_section(report);
  body += trial_section(report);
  body += scatter_section(report) + latency_section(report) + server_section(report) + layer_sections(report) +
          facts_section(report);
  body += html_environment(report.tool, report.host, report.device_description, report.command);
  return html_page("gpu_eval: " + network_name(report.model), body);
}

}  // namespace gpueval
