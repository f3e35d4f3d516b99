// SPDX-License-Identifier: Apache-2.0
// Which layers lose the accuracy, and which of them to leave in float32.
#include "gpueval/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <set>
#include <utility>

#include "core/stop_signal.h"
#include "eval/result_checks.h"
#include "gpueval/accuracy.h"
#include "gpueval/error.h"
#include "gpueval/selection.h"
#include "session/calibration.h"
#include "session/parts.h"
#include "session/prepare.h"
#include "session/settle_task.h"

namespace gpueval {
namespace {

// What is held in memory, unless the plan asks for more images.
constexpr std::size_t kImages = 500, kBytes = std::size_t{2} << 30;

constexpr std::uint64_t kSeed = 1;

using Indices = std::vector<std::size_t>;

// Images of the data: those that rank the layers, and choose them with --target-loss; then those that judge the choice.
struct Parts {
  Indices choosing, judged;
};

std::size_t most_images(const Graph& bound) { return std::clamp<std::size_t>(kBytes / trial_bytes(bound), 1, kImages); }

// `count` of the images, spread over them; ascending.
Indices spread_over(const Dataset& data, const Indices& images, std::size_t count) {
  Indices result;
  for (const std::size_t i : spread_indices(*select(data, images), count, kSeed)) result.push_back(images[i]);
  std::sort(result.begin(), result.end());
  return result;
}

// At most the limit's first ones, else at most `most` spread over them; ascending.
Indices some_of(const Plan& plan, const Dataset& data, const Indices& images, std::size_t most) {
  if (plan.data.limit) {
    Indices first = images;
    first.resize(std::min(images.size(), *plan.data.limit));
    return first;
  }
  return spread_over(data, images, std::min(most, images.size()));
}

std::size_t choosing_count(const SensitivityPlan& how, const std::string& path, std::size_t left, std::size_t most) {
  const std::size_t choosing = how.choosing_images.value_or(std::min(most, left / 2));
  if (choosing == 0 || choosing >= left) {
    fail(
        "{}: {} images are not calibrated on, too few for a target loss: it chooses layers on {} of them and judges on "
        "others",
        path, left, how.choosing_images ? std::to_string(choosing) : "half");
  }
  return choosing;
}

Parts split_images(const Plan& plan, const SensitivityPlan& how, const LoadedData& data, const JudgedSet& others,
                   std::size_t most) {
  const Dataset& images = *data.images;
  const std::size_t left = others.indices.size();
  if (!how.target_loss_points) return {some_of(plan, images, others.indices, most), {}};
  const std::size_t choosing = choosing_count(how, images.path(), left, most);
  Parts parts{spread_over(images, others.indices, choosing), {}};
  Indices rest;
  std::set_difference(others.indices.begin(), others.indices.end(), parts.choosing.begin(), parts.choosing.end(),
                      std::back_inserter(rest));
  parts.judged = some_of(plan, images, rest, most);
  return parts;
}

// Some of the data's images, held in memory.
struct ImagesOnTrial {
  ImagesOnTrial(const Plan& plan, const Prepared& prepared, const Indices& indices, const SensitivityOptions& how)
      : images(select(*prepared.data.images, indices)),
        trials(prepared.model.graph, prepared.table, recipe_of(prepared.table),
               {*images, preprocessing_of(plan, prepared.model, *images), prepared.judged.task,
                prepared.judged.scorer.get()},
               how) {}

  void report_skipped(SensitivityReport& report) const {
    const std::vector<SkippedImage>& skipped = trials.skipped();
    if (const auto warning = skipped_warning("images", skipped, images->size())) {
      report.warnings.push_back(*warning);
    } else if (!skipped.empty()) {
      report.notes.push_back(fmt::format("{} of {} images could not be decoded and were skipped; the first: {}.",
                                         skipped.size(), images->size(), skipped.front().reason));
    }
  }

  std::unique_ptr<Dataset> images;
  Trials trials;
};

// Judged on images that had no part in choosing.
MixedReport mixed_report(double target_points, const MixedPrecision& mixed, Trials& others, const Indices& judged) {
  MixedReport report;
  report.target_points = target_points;
  report.float_layers = mixed.float_layers;
  report.choosing_loss_points = 100 * mixed.loss;
  report.choosing = mixed.trial;
  report.first = judged.front();
  report.indices = judged;
  report.images = static_cast<int>(others.float32().images);
  const Trial int8 = others.measure({});
  report.trial = mixed.float_layers.empty() ? int8 : others.measure(mixed.float_layers);
  report.loss_points = 100 * others.loss(report.trial);
  report.int8_loss_points = 100 * others.loss(int8);
  return report;
}

LoweredRow int8_row(const LoweredRow& row, const Graph& bound, const CalibrationTable& table, QuantOptions quant,
                    const std::vector<std::string>& float_layers) {
  quant.float_layers = float_layers;
  return {row.row, row.scheme, lower_static(bound, table, quant), row.quantization};
}

void time_mixed(const Plan& plan, const Prepared& prepared, const QuantOptions& quant, const MixedPrecision& mixed,
                Observer& observer, MixedReport& report) {
  const Graph& bound = prepared.model.graph;
  const LoweredRow& int8 = prepared.rows.front();
  std::vector<LoweredRow> rows(1);
  rows.front().row.kernel = int8.row.kernel;
  rows.front().graph = lower_float(bound);
  rows.push_back(int8_row(int8, bound, prepared.table, quant, {}));
  std::vector<std::string> labels{"float32", "int8"};
  if (!mixed.float_layers.empty()) {
    rows.push_back(int8_row(int8, bound, prepared.table, quant, mixed.float_layers));
    labels.push_back(fmt::format("int8, {} in float32", mixed.float_layers.size()));
  }
  const int batch = plan.speed->batches.front();
  const EngineSet set = make_engines(plan, rows, batch);
  const SystemReading begin = read_system();
  std::vector<SpeedResult> speeds = run_speed(set.engines, timing_inputs(plan, prepared.model, prepared.data, batch),
                                              speed_options(*plan.speed, batch, observer));
  report.conditions = conditions_between(begin, read_system());
  for (std::size_t i = 0; i < speeds.size(); ++i) {
    if (StopSignal::raised() && speeds[i].samples == 0) continue;  // nothing was measured
    speeds[i].disturbed = !report.conditions->noise().empty();
    report.speed.push_back({labels[i], std::move(speeds[i])});
  }
}

SensitivityReport start(const Plan& plan, const Prepared& prepared) {
  const LoadedData& data = prepared.data;
  SensitivityReport report;
  report.tool = tool_info();
  report.host = host_info(plan.device);
  report.model = prepared.model.report;
  report.data = data.images->path();
  report.task = prepared.judged.task->name();
  report.metric = prepared.judged.task->metric_names().front();
  report.preprocessing = preprocessing_name(*data.images, preprocessing_of(plan, prepared.model, *data.images));
  const GroundTruth truth = data.images->ground_truth();
  report.label_mapping = truth.mapping;
  report.warnings = truth.warnings;
  report.notes = truth.notes;
  return report;
}

void add_ranking(const Plan& plan, const Trials& trials, Sensitivity found, SensitivityReport& report) {
  report.images = static_cast<int>(trials.float32().images);
  report.float_headline = trials.float32_headline();
  if (plan.model.weights != "random") {
    const Task& task = find_task(report.task);
    if (const auto doubt = task.doubt("float32", trials.float32(), report.model.classes))
      report.warnings.push_back(*doubt);
  }
  if (found.unmeasured > 0) {
    report.notes.push_back(fmt::format("Interrupted: {} of the {} layers were not measured.", found.unmeasured,
                                       found.unmeasured + static_cast<int>(found.layers.size())));
  }
  report.found = std::move(found);
}

// The row that is ranked: the plan's first int8 one.
Plan int8_plan(const Plan& asked) {
  Plan plan = asked;
  std::erase_if(plan.rows, [](const Row& row) { return !row.calibrates(); });
  if (plan.rows.empty()) fail_usage("sensitivity is for int8 with a static scheme");
  plan.rows.resize(1);
  return plan;
}

}  // namespace

SensitivityReport measure_sensitivity(const Plan& asked, const SensitivityPlan& sensitivity, Observer& observer) {
  const Plan plan = int8_plan(asked);
  Prepared prepared = load(plan, PixelChain::kTaken);
  const LoadedData& data = prepared.data;
  if (!data.images) fail("{}", data.missing);
  if (const std::string why = why_unjudged(prepared.judged, prepared.model, data.images.get()); !why.empty())
    fail("{}", why);
  check_images_left(plan, data);
  const std::size_t most = most_images(prepared.model.graph);
  if (sensitivity.target_loss_points) {  // before the calibration, which may take minutes
    const std::size_t used = calibrates_on_judged(plan, data) ? calibration_count(plan, data) : 0;
    choosing_count(sensitivity, data.images->path(), data.images->size() - used, most);
  }
  SensitivityReport report = start(plan, prepared);
  lower_rows(plan, prepared, observer);
  report.calibration = std::move(prepared.calibration);
  report.quantization = report.calibration->quantization;
  report.notes.insert(report.notes.end(), prepared.notes.begin(), prepared.notes.end());
  const JudgedSet others = judged_set(plan, data, prepared.table, data.images->size());
  report_left_out(others, *report.calibration);
  const Parts parts = split_images(plan, sensitivity, data, others, most);
  report.first = parts.choosing.front();
  report.indices = parts.choosing;
  SensitivityOptions how;
  how.device = plan.device;
  how.kernel = plan.rows.front().kernel;
  how.progress = [&](int done, int total) { observer.on_step(fmt::format("{} of {} networks measured", done, total)); };
  ImagesOnTrial choosing(plan, prepared, parts.choosing, how);
  choosing.report_skipped(report);
  add_ranking(plan, choosing.trials, measure_sensitivity(choosing.trials), report);
  try {
    stop_point();
    if (!sensitivity.target_loss_points) return report;
    const double points = *sensitivity.target_loss_points;
    const MixedPrecision mixed = find_mixed_precision(choosing.trials, report.found, points / 100);
    ImagesOnTrial judged(plan, prepared, parts.judged, how);
    judged.report_skipped(report);
    report.mixed = mixed_report(points, mixed, judged.trials, parts.judged);
    if (plan.speed) time_mixed(plan, prepared, recipe_of(prepared.table), mixed, observer, *report.mixed);
    stop_point();
  } catch (const Interrupted&) {
    report.interrupted = true;
    if (!sensitivity.target_loss_points) return report;
    report.notes.emplace_back(report.mixed ? "Interrupted: the speed covers what was timed until then."
                                           : "Interrupted before the layers to leave in float32 were found.");
  }
  return report;
}

}  // namespace gpueval
