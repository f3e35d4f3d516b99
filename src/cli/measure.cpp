// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/outputs.h"
#include "cli/parts.h"
#include "cli/recipe.h"
#include "cli/session.h"
#include "cli/start_report.h"
#include "cli/terminal.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

bool gate_failed(const Options& options, const Report& report) {
  if (!options.reference_accuracy) return false;
  const RunReport& last = report.runs.back();
  const double least = *options.reference_accuracy - options.threshold_points / 100;
  const bool failed = last.accuracy->top1_fraction() < least;
  const std::string sentence =
      fmt::format("Accuracy gate {}: {} has top-1 {:.4f}, at least {:.4f} is asked for.", failed ? "FAILED" : "passed",
                  last.label(), last.accuracy->top1_fraction(), least);
  prints_form(options) ? print_note(sentence) : print_line(sentence);
  return failed;
}

int finish(const Options& options, Report& report, const std::string& journal) {
  if (report.interrupted && !journal.empty()) report.notes.emplace_back(kResumeNote);
  std::vector<std::string> problems =
      write_results({{options.json, [&] { return to_json(report); }}, {options.html, [&] { return to_html(report); }}});
  if (!prints_form(options)) {
    print_lines(to_table(report));
    if (options.per_layer) print_lines(to_layer_tables(report));
  }
  const bool failed = !report.interrupted && gate_failed(options, report);
  problems.insert(problems.begin(), report.output_errors.begin(), report.output_errors.end());
  for (const std::string& problem : problems) print_error(problem);
  if (!problems.empty()) return exit_status(ExitCode::kRuntime);
  if (report.interrupted) return exit_status(ExitCode::kInterrupted);
  if (!report.valid()) return exit_status(ExitCode::kInvalidMeasurement);
  forget_journal(journal);
  return exit_status(failed ? ExitCode::kAccuracyGate : ExitCode::kOk);
}

bool anything_measured(const Report& report) {
  return std::any_of(report.runs.begin(), report.runs.end(),
                     [](const RunReport& run) { return run.accuracy || run.speed || run.server; });
}

// Where accuracy is not measured, or the weights are random, the minutes of the default recipe would buy nothing: its
// kernels are those of maxabs.
Options with_scheme_for(Options options, bool accuracy) {
  const bool chosen = options.given.contains("--scheme") || !options.calibration_table.empty() ||
                      !options.corrections.empty() || options.calibration_percentile;
  if (!chosen && (!accuracy || options.weights == "random")) options.scheme = "maxabs";
  return options;
}

}  // namespace

int measure(const Options& typed) {
  const LoadedModel model = load_model(typed);
  const LoadedData data = load_data(typed, *model.spec);
  const bool accuracy = typed.mode != "speed" && data.images;
  const Options options = with_scheme_for(typed, accuracy);
  if (!accuracy &&
      (options.mode == "accuracy" || options.reference_accuracy || !options.save_logits.empty() || options.resume)) {
    fail("{}", data.missing);
  }
  if (accuracy) check_images_left(options, data);

  Report report = start_report(options, model);
  for (const std::string& precision : options.precisions) report.runs.push_back(empty_run(options, precision));
  std::string journal;
  std::optional<std::string> note;
  std::vector<std::string> table_notes;
  {
    Progress progress;
    CalibrationTable table;
    if (calibrates(options)) {
      progress.show("calibrating");
      table = obtain_table(options, model, data, report.calibration.emplace(),
                           [&](const std::string& text) { progress.show_now_and_then(text); });
      report.calibration->quantization.float_layers = options.float_layers;
      table_notes = table.notes;
      note = rounding_note(model.graph, parse_recipe(table.scheme));
      for (RunReport& run : report.runs) {
        if (run.precision == "int8") run.quantization = report.calibration->quantization;
      }
    }
    JudgedSet judged;
    if (accuracy) judged = judged_set(options, data, table);
    if (report.calibration) report_left_out(judged, *report.calibration);
    std::vector<Graph> lowered;
    for (const std::string& precision : options.precisions)
      lowered.push_back(lower(options, precision, model.graph, table));
    try {
      if (accuracy) journal = measure_accuracy(options, model, data, judged, lowered, progress, report);
      if (!report.interrupted && (options.mode != "accuracy" || options.per_layer)) {
        measure_speed(options, model, data, lowered, progress, report);
      }
      if (accuracy && options.per_layer) measure_layer_error(options, model, judged, lowered, progress, report);
    } catch (const Interrupted&) {
      if (!anything_measured(report)) throw;
      report.interrupted = true;
    }
  }
  report.device_description = device_description(report.runs.front().device);
  if (note) {
    print_note(*note);
    report.notes.push_back(*note);
  }
  add_warnings(options, data, report);
  report.notes.insert(report.notes.end(), table_notes.begin(), table_notes.end());
  add_notes(options, data, report);
  return finish(options, report, journal);
}

}  // namespace gpueval::cli
