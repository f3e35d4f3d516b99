// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "graph/drop_weights.h"
#include "session/islands.h"
#include "session/parts.h"
#include "session/settle_task.h"

namespace gpueval {
namespace {

bool anything_measured(const Report& report) {
  return std::any_of(report.runs.begin(), report.runs.end(),
                     [](const RunReport& run) { return run.accuracy || run.speed || run.server; });
}

void check_plan(const Plan& plan) {
  if (plan.rows.empty()) fail_usage("a measurement needs a row");
  if (!plan.accuracy && !plan.speed && !plan.layers_batch && !plan.outputs.any())
    fail_usage("a measurement needs an accuracy or a speed part");
  if (plan.speed && plan.speed->batches.empty()) fail_usage("a speed part needs a batch");
  if (!plan.shard) return;
  const auto [index, count] = *plan.shard;
  if (index < 1 || index > count) fail_usage("shard {} of {}: they count from 1", index, count);
  if (!plan.accuracy || plan.speed || plan.layers_batch) fail_usage("a shard is of an accuracy part alone");
}

// The images that are judged, from the data as it was loaded.
JudgedSet settle_judged(const Plan& plan, Prepared& prepared) {
  JudgedSet judged;
  if (plan.accuracy) judged = judged_set(plan, prepared.data, prepared.table);
  if (prepared.calibration) report_left_out(judged, *prepared.calibration);
  return judged;
}

// What goes wrong behind a part that was measured (a full disk, a device that is lost) must not cost it.
template <typename Part>
void behind_others(Report& report, const char* name, Part&& part) {
  std::string problem;
  try {
    part();
    return;
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    if (!anything_measured(report) || error.kind() == ErrorKind::kUsage) throw;
    problem = error.what();
  } catch (const std::bad_alloc&) {
    if (!anything_measured(report)) throw;
    problem = fmt::format("not enough memory for the {}", name);
  }
  report.output_errors.push_back(std::move(problem));
}

void measure_parts(const Plan& plan, Prepared& prepared, Observer& observer, Report& report) {
  const JudgedSet judged = settle_judged(plan, prepared);
  report.calibration = prepared.calibration;
  try {
    KeptMaps maps;
    if (plan.accuracy) measure_accuracy(plan, prepared, judged, maps, observer, report);
    if (plan.accuracy && plan.gallery) {
      behind_others(report, "pictures of the report",
                    [&] { collect_gallery(plan, prepared, judged, maps, observer, report); });
    }
    if (!report.interrupted && plan.outputs.any())
      behind_others(report, "outputs", [&] { save_outputs(plan, prepared, judged, report); });
    if (!report.interrupted && (plan.speed || plan.layers_batch))
      behind_others(report, "speed part", [&] { measure_speed(plan, prepared, observer, report); });
    if (measures_layer_errors(plan)) {
      behind_others(report, "errors of the layers",
                    [&] { measure_layer_error(plan, prepared, judged, observer, report); });
    }
  } catch (const Interrupted&) {
    if (!anything_measured(report)) throw;
    report.interrupted = true;
  }
}

}  // namespace

Report measure(const Plan& asked, Observer& observer) {
  check_plan(asked);
  Plan plan = asked;
  Prepared prepared = load(plan, PixelChain::kTaken);
  if (plan.accuracy && plan.accuracy->required && !prepared.data.images) fail("{}", prepared.data.missing);
  const std::string unjudged = why_unjudged(prepared.judged, prepared.model, prepared.data.images.get());
  if (plan.accuracy && plan.accuracy->required && !unjudged.empty() && !plan.outputs.any()) fail("{}", unjudged);
  if (plan.outputs.any() && !prepared.data.images) fail("{}", prepared.data.missing);
  if (!prepared.data.images || !unjudged.empty()) plan.accuracy.reset();
  if (plan.accuracy && plan.accuracy->save_logits.empty() && !plan.outputs.probabilities) {
    plan.accuracy->save_logits = std::exchange(plan.outputs.first, "");  // in the same pass
  }
  if (plan.accuracy) check_images_left(plan, prepared.data);
  Report report = start_report(plan, prepared.model);
  if (prepared.judged.task != nullptr) report.task = prepared.judged.task->name();
  lower_rows(plan, prepared, observer);
  if (!measures_layer_errors(plan)) drop_weights(prepared.model.graph);
  for (const LoweredRow& row : prepared.rows) report.runs.push_back(empty_run(row));
  measure_parts(plan, prepared, observer, report);
  const std::vector<std::string>& notes = prepared.notes;
  report.notes.insert(report.notes.end(), notes.begin(), notes.end());
  for (std::string& sentence : island_costs(report)) report.notes.push_back(std::move(sentence));
  for (std::string& sentence : postprocessing_costs(report)) report.notes.push_back(std::move(sentence));
  const std::vector<std::string>& doubts = prepared.judged.warnings;
  if (report.data) report.warnings.insert(report.warnings.end(), doubts.begin(), doubts.end());
  add_warnings(prepared.data, report);
  if (!report.shard) add_doubts(report);
  add_notes(asked, prepared.data, report);
  if (asked.accuracy && !unjudged.empty()) report.notes.push_back("Accuracy was not measured. " + unjudged + ".");
  return report;
}

}  // namespace gpueval
