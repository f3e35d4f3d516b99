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
#include "task/chance_warning.h"

namespace gpueval {
namespace {

constexpr std::size_t kImages = 500;  // at most, unless the plan asks for more: held in memory

constexpr std::uint64_t kSeed = 1;

using Indices = std::vector<std::size_t>;

// Images of the data: those that rank the layers, and choose them with --target-loss; then those that judge the choice.
struct Parts {
  Indices choosing, judged;
};

// `count` of the images, spread over them; ascending.
Indices spread_over(const Dataset& data, const Indices& images, std::size_t count) {
  Indices result;
  for (const std::size_t i : spread_indices(*select(data, images), count, kSeed)) result.push_back(images[i]);
  std::sort(result.begin(), result.end());
  return result;
}

// At most the limit's first ones, else at most kImages spread over them; ascending.
Indices some_of(const Plan& plan, const Dataset& data, const Indices& images) {
  if (plan.data.limit) {
    Indices first = images;
    first.resize(std::min(images.size(), *plan.data.limit));
    return first;
  }
  return spread_over(data, images, std::min(kImages, images.size()));
}

std::size_t choosing_count(const SensitivityPlan& how, const std::string& path, std::size_t left) {
  const std::size_t choosing = how.choosing_images.value_or(std::min(kImages, left / 2));
  if (choosing == 0 || choosing >= left) {
    fail(
        "{}: {} images are not calibrated on, too few for a target loss: it chooses layers on {} of them and judges on "
        "others",
        path, left, how.choosing_images ? std::to_string(choosing) : "half");
  }
  return choosing;
}

Parts split_images(const Plan& plan, const SensitivityPlan& how, const LoadedData& data, const JudgedSet& others) {
  const Dataset& images = *data.images;
  const std::size_t left = others.indices.size();
  if (!how.target_loss_points) return {some_of(plan, images, others.indices), {}};
  const std::size_t choosing = choosing_count(how, images.path(), left);
  Parts parts{spread_over(images, others.indices, choosing), {}};
  Indices rest;
  std::set_difference(others.indices.begin(), others.indices.end(), parts.choosing.begin(), parts.choosing.end(),
                      std::back_inserter(rest));
  parts.judged = some_of(plan, images, rest);
  return parts;
}

TrialReport trial_report(const Trial& trial) { return {trial.agreement, trial.sqnr_db, trial.kl, trial.top1}; }

// The images and the labels of those that can be decoded. images must outlive the result.
JudgedImages read_part(const Plan& plan, const LoadedModel& model, const Dataset& images, SensitivityReport& report) {
  const Preprocessing preprocessing = preprocessing_of(plan, model, images);
  std::vector<SkippedImage> skipped;
  const auto source = image_source(images, preprocessing, 0, images.size(), &skipped);
  std::vector<float> batch;
  while (source(batch, 16) > 0) {
  }
  std::set<std::size_t> left_out;
  for (const SkippedImage& image : skipped) left_out.insert(image.index);
  JudgedImages judged;
  judged.images = [&images, preprocessing] { return image_source(images, preprocessing, 0, images.size(), nullptr); };
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (!left_out.contains(i)) judged.labels.push_back(images.label(i));
  }
  if (const auto warning = skipped_warning("images", skipped, images.size())) {
    report.warnings.push_back(*warning);
  } else if (!skipped.empty()) {
    report.notes.push_back(fmt::format("{} of {} images could not be decoded and were skipped; the first: {}.",
                                       skipped.size(), images.size(), skipped.front().reason));
  }
  return judged;
}

MixedReport mixed_report(double target_points, const MixedPrecision& mixed, const Verdict& verdict,
                         const Indices& judged) {
  MixedReport report;
  report.target_points = target_points;
  report.float_layers = mixed.float_layers;
  report.choosing_loss_points = 100 * mixed.loss;
  report.choosing = trial_report(mixed.trial);
  report.first = judged.front();
  report.indices = judged;
  report.images = verdict.images;
  report.loss_points = 100 * (*verdict.float_top1 - *verdict.trial.top1);
  report.int8_loss_points = 100 * (*verdict.float_top1 - *verdict.all_int8.top1);
  report.trial = trial_report(verdict.trial);
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
  report.preprocessing = preprocessing_name(*data.images, preprocessing_of(plan, prepared.model, *data.images));
  const GroundTruth truth = data.images->ground_truth();
  report.label_mapping = truth.mapping;
  report.warnings = truth.warnings;
  report.notes = truth.notes;
  return report;
}

void add_ranking(const Plan& plan, const Sensitivity& found, SensitivityReport& report) {
  report.images = found.images;
  report.float_top1 = found.float_top1;
  if (report.float_top1 && plan.model.weights != "random") {
    const auto top1 = static_cast<std::int64_t>(std::llround(*report.float_top1 * report.images));
    if (const auto warning = chance_warning({"float32", report.images, top1, 0, report.model.classes}))
      report.warnings.push_back(*warning);
  }
  report.all_int8 = trial_report(found.all_int8);
  for (const LayerSensitivity& layer : found.layers) {
    report.layers.push_back(
        {layer.name, layer.op, layer.multiply_adds, trial_report(layer.alone), trial_report(layer.rest)});
  }
  if (found.unmeasured > 0) {
    report.notes.push_back(fmt::format("Interrupted: {} of the {} layers were not measured.", found.unmeasured,
                                       found.unmeasured + static_cast<int>(found.layers.size())));
  }
}

// Before the calibration, which may take minutes.
void check_images(const Plan& plan, const SensitivityPlan& how, const LoadedData& data) {
  if (!data.images) fail("{}", data.missing);
  check_images_left(plan, data);
  if (!how.target_loss_points) return;
  const std::size_t used = calibrates_on_judged(plan, data) ? calibration_count(plan, data) : 0;
  choosing_count(how, data.images->path(), data.images->size() - used);
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
  if (const std::string reason = why_no_classifier(prepared.model, "sensitivity"); !reason.empty()) fail("{}", reason);
  check_images(plan, sensitivity, data);
  SensitivityReport report = start(plan, prepared);
  lower_rows(plan, prepared, observer);
  const Graph& bound = prepared.model.graph;
  const CalibrationTable& table = prepared.table;
  const QuantOptions quant = recipe_of(table);
  report.calibration = std::move(prepared.calibration);
  report.quantization = report.calibration->quantization;
  report.notes.insert(report.notes.end(), prepared.notes.begin(), prepared.notes.end());
  const JudgedSet others = judged_set(plan, data, table, data.images->size());
  report_left_out(others, *report.calibration);
  const Parts parts = split_images(plan, sensitivity, data, others);
  report.first = parts.choosing.front();
  report.indices = parts.choosing;
  const auto choosing_images = select(*data.images, parts.choosing), judged_images = select(*data.images, parts.judged);
  const JudgedImages choosing = read_part(plan, prepared.model, *choosing_images, report);
  SensitivityOptions how;
  how.device = plan.device;
  how.kernel = plan.rows.front().kernel;
  how.progress = [&](int done, int total) { observer.on_step(fmt::format("{} of {} networks measured", done, total)); };
  const Sensitivity found = measure_sensitivity(bound, table, quant, choosing, how);
  add_ranking(plan, found, report);
  try {
    stop_point();
    if (sensitivity.target_loss_points) {
      const double points = *sensitivity.target_loss_points;
      const MixedPrecision mixed = find_mixed_precision(bound, table, quant, choosing, found, points / 100, how);
      QuantOptions chosen = quant;
      chosen.float_layers = mixed.float_layers;
      const JudgedImages judged = read_part(plan, prepared.model, *judged_images, report);
      report.mixed = mixed_report(points, mixed, judge_network(bound, table, chosen, judged, how), parts.judged);
      if (plan.speed) time_mixed(plan, prepared, quant, mixed, observer, *report.mixed);
      stop_point();
    }
  } catch (const Interrupted&) {
    report.interrupted = true;
    if (sensitivity.target_loss_points) {
      report.notes.emplace_back(report.mixed ? "Interrupted: the speed covers what was timed until then."
                                             : "Interrupted before the layers to leave in float32 were found.");
    }
  }
  return report;
}

}  // namespace gpueval
