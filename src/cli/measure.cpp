// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

#include "cli/commands.h"
#include "cli/parts.h"
#include "cli/session.h"
#include "cli/stop_signal.h"
#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

constexpr int kExitInterrupted = 130;  // 128 + SIGINT, as shells say it

std::string device_description(const std::string& name) {
  for (const DeviceInfo& device : devices()) {
    if (device.name == name) return device.description;
  }
  return name;
}

std::vector<RunReport> empty_runs(const Options& options) {
  std::vector<RunReport> runs;
  for (const std::string& precision : options.precisions) {
    RunReport run;
    run.precision = precision;
    run.forced_kernel = options.kernel;
    if (precision == "int8") {
      const bool dynamic = !needs_calibration(parse_scheme(options.scheme));
      run.scheme = options.scheme;
      (dynamic ? run.depthwise : run.activations) = dynamic ? options.depthwise : options.activations;
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

void add_notes(const Options& options, const LoadedData& data, Report& report) {
  if (!report.data && options.mode != "speed") report.notes.push_back("Accuracy was not measured. " + data.missing);
  if (options.weights == "random") report.notes.push_back("The weights are random: only the speed means anything.");
  if (report.speed_input == "synthetic") {
    report.notes.push_back(report.calibration && report.calibration->source == "synthetic"
                               ? "Synthetic images were used for timing and calibration."
                               : "Synthetic images were used for timing.");
  }
  if (options.demo() && options.weights.empty()) {
    report.notes.push_back(
        "The demo is a toy: a small network on drawn shapes; its losses say little about real networks.");
  }
}

bool gate_failed(const Options& options, const Report& report) {
  if (!options.reference_accuracy) return false;
  const RunReport& last = report.runs.back();
  const double least = *options.reference_accuracy - options.threshold_points / 100;
  const bool failed = last.accuracy->top1_fraction() < least;
  fmt::print("Accuracy gate {}: {} has top-1 {:.4f}, at least {:.4f} is asked for.\n", failed ? "FAILED" : "passed",
             last.label(), last.accuracy->top1_fraction(), least);
  return failed;
}

void write_json(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) fail("{}: the result could not be written", path);
}

int finish(const Options& options, const Report& report, const std::string& journal) {
  fmt::print("{}", to_table(report));
  if (options.per_layer) fmt::print("{}", to_layer_tables(report));
  const bool failed = !report.interrupted && gate_failed(options, report);
  std::fflush(stdout);
  if (!options.json.empty()) write_json(options.json, to_json(report));
  if (!report.valid()) return static_cast<int>(ExitCode::kInvalidMeasurement);
  if (report.interrupted) return kExitInterrupted;
  std::error_code ignored;
  if (!journal.empty()) std::filesystem::remove(journal, ignored);
  return static_cast<int>(failed ? ExitCode::kAccuracyGate : ExitCode::kOk);
}

}  // namespace

int measure(const Options& options) {
  const LoadedModel model = load_model(options);
  const LoadedData data = load_data(options, *model.spec);
  const bool accuracy = options.mode != "speed" && data.images;
  if (!accuracy &&
      (options.mode == "accuracy" || options.reference_accuracy || !options.save_logits.empty() || options.resume)) {
    fail("{}", data.missing);
  }
  if (accuracy && plan_images(options, data).count == 0) {
    fail("{}: all {} images are used for calibration; lower --calibration-images or name a --calibration-table",
         data.images->path(), data.images->size());
  }

  Report report;
  report.tool = tool_info();
  report.host = host_info();
  report.command = options.command_line;
  report.model = model.report;
  report.runs = empty_runs(options);
  report.per_layer = options.per_layer;
  report.percentiles = options.percentiles;
  std::string journal;
  {
    Progress progress;
    CalibrationTable table;
    if (calibrates(options)) {
      progress.show("calibrating");
      table = obtain_table(options, model, data, report.calibration.emplace());
    }
    const StopSignal stop;  // before this point there is nothing to print, and Ctrl-C just ends the program
    std::vector<Graph> lowered;
    for (const std::string& precision : options.precisions)
      lowered.push_back(lower(options, precision, model.graph, table));
    if (accuracy) journal = measure_accuracy(options, model, data, lowered, table, progress, report);
    if (!report.interrupted && (options.mode != "accuracy" || options.per_layer)) {
      measure_speed(options, model, data, lowered, progress, report);
    }
  }
  report.device_description = device_description(report.runs.front().device);
  add_notes(options, data, report);
  return finish(options, report, journal);
}

}  // namespace gpueval::cli
