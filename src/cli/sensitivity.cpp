// SPDX-License-Identifier: Apache-2.0
// `gpu_eval sensitivity`: which layers lose the accuracy, and with --target-loss which of them to leave in float32.
#include "gpueval/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <set>
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
#include "eval/result_checks.h"
#include "gpueval/accuracy.h"
#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

constexpr std::size_t kImages = 500;  // at most, unless --limit or --choosing-images asks for more: held in memory

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

// At most --limit's first ones, else at most kImages spread over them; ascending.
Indices some_of(const Options& options, const Dataset& data, const Indices& images) {
  if (options.limit) {
    Indices first = images;
    first.resize(std::min(images.size(), *options.limit));
    return first;
  }
  return spread_over(data, images, std::min(kImages, images.size()));
}

std::size_t choosing_count(const Options& options, const std::string& path, std::size_t left) {
  const std::size_t choosing = options.choosing_images.value_or(std::min(kImages, left / 2));
  if (choosing == 0 || choosing >= left) {
    fail(
        "{}: {} images are not calibrated on, too few for --target-loss: it chooses layers on {} of them and judges on "
        "others",
        path, left, options.choosing_images ? std::to_string(choosing) : "half");
  }
  return choosing;
}

Parts split_images(const Options& options, const LoadedData& data, const JudgedSet& others) {
  const Dataset& images = *data.images;
  const std::size_t left = others.indices.size();
  if (!options.target_loss_points) return {some_of(options, images, others.indices), {}};
  const std::size_t choosing = choosing_count(options, images.path(), left);
  Parts parts{spread_over(images, others.indices, choosing), {}};
  Indices rest;
  std::set_difference(others.indices.begin(), others.indices.end(), parts.choosing.begin(), parts.choosing.end(),
                      std::back_inserter(rest));
  parts.judged = some_of(options, images, rest);
  return parts;
}

TrialReport trial_report(const Trial& trial) { return {trial.agreement, trial.sqnr_db, trial.kl, trial.top1}; }

// The images and the labels of those that can be decoded. images must outlive the result.
JudgedImages read_part(const Options& options, const LoadedModel& model, const Dataset& images,
                       SensitivityReport& report) {
  const InputSpec input = model.spec->input;
  const Resizing resizing = parse_resizing(options.preprocess);
  std::vector<SkippedImage> skipped;
  const auto source = image_source(images, input, resizing, 0, images.size(), &skipped);
  std::vector<float> batch;
  while (source(batch, 16) > 0) {
  }
  std::set<std::size_t> left_out;
  for (const SkippedImage& image : skipped) left_out.insert(image.index);
  JudgedImages judged;
  judged.images = [&images, input, resizing] {
    return image_source(images, input, resizing, 0, images.size(), nullptr);
  };
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

MixedReport mixed_report(const Options& options, const MixedPrecision& mixed, const Verdict& verdict,
                         const Indices& judged) {
  MixedReport report;
  report.target_points = *options.target_loss_points;
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

void time_mixed(const Options& options, const LoadedModel& model, const LoadedData& data, const CalibrationTable& table,
                const MixedPrecision& mixed, Progress& progress, MixedReport& report) {
  Options with_float_layers = options;
  with_float_layers.float_layers = mixed.float_layers;
  std::vector<Graph> lowered{lower_float(model.graph), lower(options, "int8", model.graph, table)};
  std::vector<std::string> labels{"float32", "int8"};
  if (!mixed.float_layers.empty()) {
    lowered.push_back(lower(with_float_layers, "int8", model.graph, table));
    labels.push_back(fmt::format("int8, {} in float32", mixed.float_layers.size()));
  }
  const int batch = options.batch.value_or(1);
  const EngineSet set = make_engines(options, lowered, batch);
  const SystemReading begin = read_system();
  std::vector<SpeedResult> speeds =
      run_speed(set.engines, timing_inputs(options, model, data, batch), speed_options(options, batch, progress));
  report.conditions = conditions_between(begin, read_system());
  for (std::size_t i = 0; i < speeds.size(); ++i) {
    if (StopSignal::raised() && speeds[i].samples == 0) continue;  // nothing was measured
    speeds[i].disturbed = !report.conditions->noise().empty();
    report.speed.push_back({labels[i], std::move(speeds[i])});
  }
}

SensitivityReport start(const Options& options, const LoadedModel& model, const LoadedData& data) {
  SensitivityReport report;
  report.tool = tool_info();
  report.host = host_info();
  report.command = options.command_line;
  report.model = model.report;
  report.data = data.images->path();
  report.preprocessing = preprocessing_name(*data.images, model.spec->input, parse_resizing(options.preprocess));
  const GroundTruth truth = data.images->ground_truth();
  report.label_mapping = truth.mapping;
  report.warnings = truth.warnings;
  report.notes = truth.notes;
  return report;
}

SensitivityReport measure(const Options& options, const LoadedModel& model, const LoadedData& data) {
  check_images_left(options, data);
  if (options.target_loss_points) {  // before the calibration, which may take minutes
    const std::size_t used = calibrates_on_judged(options, data) ? calibration_count(options, data) : 0;
    choosing_count(options, data.images->path(), data.images->size() - used);
  }
  SensitivityReport report = start(options, model, data);
  Progress progress;
  CalibrationReport& calibration = report.calibration.emplace();
  const CalibrationTable table = obtain_table(options, model, data, calibration,
                                              [&](const std::string& text) { progress.show_now_and_then(text); });
  report.quantization = calibration.quantization;
  QuantOptions quant = parse_recipe(table.scheme);
  quant.activations = options.activations == "s8" ? DType::kS8 : DType::kU8;
  if (const auto note = rounding_note(model.graph, quant)) report.notes.push_back(*note);

  report.notes.insert(report.notes.end(), table.notes.begin(), table.notes.end());
  const JudgedSet others = judged_set(options, data, table, data.images->size());
  report_left_out(others, calibration);
  const Parts parts = split_images(options, data, others);
  report.first = parts.choosing.front();
  report.indices = parts.choosing;
  const auto choosing_images = select(*data.images, parts.choosing), judged_images = select(*data.images, parts.judged);
  const JudgedImages choosing = read_part(options, model, *choosing_images, report);
  SensitivityOptions how;
  how.device = options.device;
  how.kernel = options.kernel;
  how.progress = [&](int done, int total) {
    progress.show_now_and_then(fmt::format("{} of {} networks measured", done, total));
  };
  const Sensitivity found = measure_sensitivity(model.graph, table, quant, choosing, how);
  report.images = found.images;
  report.float_top1 = found.float_top1;
  if (report.float_top1 && options.weights != "random") {
    const auto top1 = static_cast<std::int64_t>(std::llround(*report.float_top1 * report.images));
    if (const auto warning = chance_warning({"float32", report.images, top1, 0, model.report.classes}))
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
  try {
    stop_point();
    if (options.target_loss_points) {
      const MixedPrecision mixed =
          find_mixed_precision(model.graph, table, quant, choosing, found, *options.target_loss_points / 100, how);
      quant.float_layers = mixed.float_layers;
      const JudgedImages judged = read_part(options, model, *judged_images, report);
      report.mixed = mixed_report(options, mixed, judge_network(model.graph, table, quant, judged, how), parts.judged);
      if (options.mode != "accuracy") time_mixed(options, model, data, table, mixed, progress, *report.mixed);
      stop_point();
    }
  } catch (const Interrupted&) {
    report.interrupted = true;
    if (options.target_loss_points) {
      report.notes.emplace_back(report.mixed ? "Interrupted: the speed covers what was timed until then."
                                             : "Interrupted before the layers to leave in float32 were found.");
    }
  }
  return report;
}

}  // namespace

int sensitivity(const Options& options) {
  const LoadedModel model = load_model(options);
  const LoadedData data = load_data(options, *model.spec);
  if (!data.images) fail("{}", data.missing);
  const SensitivityReport report = measure(options, model, data);
  const std::vector<std::string> problems =
      write_results({{options.json, [&] { return to_json(report); }}, {options.html, [&] { return to_html(report); }}});
  if (!prints_form(options)) print_lines(to_text(report));
  for (const std::string& problem : problems) print_error(problem);
  if (!problems.empty()) return exit_status(ExitCode::kRuntime);
  if (report.interrupted) return exit_status(ExitCode::kInterrupted);
  bool valid = true;
  if (report.mixed) {
    for (const MixedSpeed& row : report.mixed->speed) valid = valid && row.speed.valid;
  }
  return exit_status(valid ? ExitCode::kOk : ExitCode::kInvalidMeasurement);
}

}  // namespace gpueval::cli
