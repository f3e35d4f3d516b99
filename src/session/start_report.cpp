// SPDX-License-Identifier: Apache-2.0
#include "session/start_report.h"

#include <algorithm>
#include <optional>
#include <string>

#include "eval/result_checks.h"
#include "models/demo.h"
#include "session/islands.h"

namespace gpueval {

Report start_report(const Plan& plan, const LoadedModel& model) {
  Report report;
  report.tool = tool_info();
  report.host = host_info(plan.device);
  report.device_description = device_info(plan.device).description;
  report.model = model.report;
  report.per_layer = plan.layers_batch.has_value();
  report.shard = plan.shard;
  if (plan.speed) {
    report.percentiles = plan.speed->percentiles;
    report.scenario = plan.speed->scenario;
  }
  return report;
}

RunReport empty_run(const LoweredRow& row) {
  RunReport run;
  run.precision = to_string(row.row.precision);
  run.forced_kernel = row.row.kernel;
  if (row.row.precision != Precision::kInt8) return run;
  run.scheme = row.scheme;
  run.quantization = row.quantization;
  run.islands = islands_of(row);
  const RecipeRequest& recipe = row.row.recipe;
  if (row.row.calibrates()) {
    run.activations = to_string(recipe.activations.value_or(DType::kU8));
  } else {
    run.depthwise = recipe.depthwise_int8 ? "int8" : "float32";
  }
  return run;
}

void add_engine_notes(const EngineSet& set, Report& report) {
  for (const Engine* engine : set.engines) {
    for (const std::string& note : engine->notes()) {
      if (std::find(report.notes.begin(), report.notes.end(), note) == report.notes.end()) report.notes.push_back(note);
    }
  }
}

void report_left_out(const JudgedSet& judged, CalibrationReport& report) {
  report.left_out = judged.left_out;
  report.same_content = judged.same_content;
  report.excluded = report.excluded || judged.left_out > 0;
}

void add_warnings(const LoadedData& data, Report& report) {
  const auto add = [&](const std::optional<std::string>& warning) {
    if (warning) report.warnings.push_back(*warning);
  };
  if (report.data) {
    const GroundTruth truth = data.images->ground_truth();
    report.warnings.insert(report.warnings.end(), truth.warnings.begin(), truth.warnings.end());
    report.notes.insert(report.notes.end(), truth.notes.begin(), truth.notes.end());
  }
  if (report.calibration) {
    const CalibrationReport& calibration = *report.calibration;
    add(skipped_warning("calibration images", calibration.skipped,
                        static_cast<std::size_t>(calibration.images) + calibration.skipped.size()));
  }
}

void add_doubts(Report& report) {
  const auto add = [&](const std::optional<std::string>& warning) {
    if (warning) report.warnings.push_back(*warning);
  };
  if (report.data) add(skipped_warning("images", report.data->skipped, report.data->count));
  if (report.model.weights == "random") return;  // a note says what their accuracy is worth
  const RunReport* judged = nullptr;  // float32, else the best row: what is wrong with the data hits every row
  for (const RunReport& run : report.runs) {
    if (!run.accuracy || (judged != nullptr && judged->precision == "float32")) continue;
    const bool better = judged == nullptr || run.accuracy->headline() > judged->accuracy->headline();
    if (run.precision == "float32" || better) judged = &run;
  }
  if (judged == nullptr) return;
  add(find_task(report.task).doubt(judged->label(), *judged->accuracy, report.model.classes));
}

void add_notes(const Plan& plan, const LoadedData& data, Report& report) {
  if (!report.data && plan.accuracy && !data.missing.empty())
    report.notes.push_back("Accuracy was not measured. " + data.missing);
  if (plan.model.weights == "random") report.notes.push_back("The weights are random: only the speed means anything.");
  if (report.speed_input == "synthetic") {
    report.notes.push_back(report.calibration && report.calibration->source == "synthetic"
                               ? "Synthetic images were used for timing and calibration."
                               : "Synthetic images were used for timing.");
  }
  if (plan.model.weights.empty() && embeds_weights(plan.model.name)) {
    report.notes.push_back(
        "The demo is a toy: a small network on drawn shapes; its losses say little about real networks.");
  }
}

}  // namespace gpueval
