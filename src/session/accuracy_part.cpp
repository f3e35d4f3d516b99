// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <utility>

#include "core/cache_folder.h"
#include "core/sha256.h"
#include "core/stop_signal.h"
#include "gpueval/accuracy.h"
#include "gpueval/error.h"
#include "gpueval/selection.h"
#include "session/parts.h"
#include "task/detection/detection_file.h"
#include "task/detection/score.h"

namespace gpueval {
namespace {

std::string digest(const std::string& text) {
  Sha256 sum;
  sum.update(text);
  return sum.hex();
}

void take_shard(const Shard& shard, AccuracyOptions& accuracy) {
  const std::size_t all = accuracy.count;
  const auto begin = [&](int index) {
    return all * static_cast<std::size_t>(index) / static_cast<std::size_t>(shard.count);
  };
  accuracy.first = begin(shard.index - 1);
  accuracy.count = begin(shard.index) - accuracy.first;
  if (accuracy.count == 0) fail("shard {} of {} has none of the {} judged images", shard.index, shard.count, all);
}

AccuracyOptions accuracy_options(const Plan& plan, const Prepared& prepared, const JudgedSet& judged,
                                 const Report& report, Observer& observer) {
  AccuracyOptions accuracy;
  accuracy.preprocessing = preprocessing_of(plan, prepared.model, *prepared.data.images);
  accuracy.preprocess_on_device = plan.accuracy->preprocess_on_device;
  if (accuracy.preprocess_on_device && !accuracy.preprocessing.only_resizes()) {
    fail_usage(
        "preprocess-on device: a device only resizes (squash, bilinear), and the images of {} are preprocessed as {}",
        prepared.data.images->path(), preprocessing_name(*prepared.data.images, accuracy.preprocessing));
  }
  accuracy.task = prepared.judged.task;
  accuracy.scorer = prepared.judged.scorer.get();
  accuracy.count = judged.indices.size();
  if (plan.shard) take_shard(*plan.shard, accuracy);
  accuracy.batch = plan.accuracy->batch;
  accuracy.resume = plan.accuracy->resume;
  if (const std::string folder = cache_folder(); !folder.empty()) {
    accuracy.journal_key = journal_key(plan, prepared, judged, report.task);
    accuracy.journal = folder + "/" + digest(accuracy.journal_key).substr(0, 32) + ".journal";
  }
  accuracy.save_logits = plan.accuracy->save_logits;
  accuracy.stop = [] { return StopSignal::raised(); };
  accuracy.progress = [&observer](const AccuracyProgress& state) { observer.on_accuracy(state); };
  return accuracy;
}

// From the last row's scores. What cannot be written costs no result.
void save_detections(const Plan& plan, const AccuracyOptions& accuracy, const JudgedSet& judged, AccuracyRun& run) {
  const std::string& path = plan.accuracy->save_detections;
  if (path.empty()) return;
  try {
    std::set<std::size_t> skipped;
    for (const SkippedImage& image : run.skipped) skipped.insert(image.index);
    DetectionWriter writer(path, *judged.images);
    std::size_t image = accuracy.first;
    for (const Score& score : run.rows.back().samples) {
      while (skipped.contains(image)) ++image;
      writer.append(image++, detections_of(score));
    }
    writer.finish();
  } catch (const Error& error) {
    run.output_errors.emplace_back(error.what());
  }
}

bool shows_maps(const Plan& plan, const JudgedSet& judged, std::size_t rows) {
  return plan.gallery && !plan.shard && rows > 1 && judged.images->truth() == TruthKind::kLabelMap;
}

// Of a mapped truth nobody knows them.
std::vector<std::string> class_names_of(const Plan& plan, const Prepared& prepared) {
  if (plan.data.map) return {};
  return prepared.judged.classes.empty() ? prepared.data.images->class_names() : prepared.judged.classes;
}

DataReport data_report(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, AccuracyRun& run) {
  const Dataset& images = *prepared.data.images;
  return {images.path(),
          images.kind(),
          preprocessing_name(images, preprocessing_of(plan, prepared.model, images)),
          judged.indices.front(),
          judged.indices.size(),
          target_sha256(*judged.images, 0, judged.indices.size()),
          std::move(run.skipped),
          run.replayed,
          run.seconds,
          plan.accuracy->preprocess_on_device ? "device" : "host",
          images.ground_truth().mapping,
          judged.indices.back(),
          images.size(),
          indices_sha256(judged.indices),
          plan.data.split,
          class_names_of(plan, prepared)};
}

}  // namespace

void measure_accuracy(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, KeptMaps& maps,
                      Observer& observer, Report& report) {
  const EngineSet set = make_engines(plan, prepared.rows, plan.accuracy->batch);
  add_engine_notes(set, report);
  AccuracyOptions accuracy = accuracy_options(plan, prepared, judged, report, observer);
  if (shows_maps(plan, judged, set.engines.size())) {
    maps = KeptMaps(*prepared.judged.task, *prepared.judged.scorer, *plan.gallery);
    accuracy.scored = [&maps](const auto&... scored) { maps.take(scored...); };
  }
  AccuracyRun run = run_accuracy(*judged.images, set.engines, accuracy);
  save_detections(plan, accuracy, judged, run);
  for (SkippedImage& image : run.skipped) image.index = judged.indices[image.index];
  if (run.rows.front().images == 0) stop_point();  // nothing to report
  if (accuracy.journal.empty()) run.journal_problem = kNoCacheFolder;
  if (!run.journal_problem.empty()) {
    report.notes.push_back("There is no journal, so --resume cannot continue this run: " + run.journal_problem);
    observer.on_note(report.notes.back());
  }
  report.data = data_report(plan, prepared, judged, run);
  report.interrupted = run.interrupted;
  report.output_errors = std::move(run.output_errors);
  for (std::size_t i = 0; i < run.rows.size(); ++i) {
    RunReport& row = report.runs[i];
    row.device = set.engines[i]->device();
    row.on_emulator = set.engines[i]->emulated();
    row.batch = plan.accuracy->batch;
    row.accuracy = std::move(run.rows[i]);
    row.arena_bytes = set.engines[i]->arena_bytes();
    row.layers.clear();
    for (const LayerInfo& layer : set.engines[i]->layers()) row.layers.push_back({layer, std::nullopt});
    if (i > 0) row.vs_first = find_task(report.task).compare(*report.runs.front().accuracy, *row.accuracy);
  }
  if (run.journal_problem.empty()) report.journal = accuracy.journal;
}

void forget_journal(const Report& report) {
  if (report.journal.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(report.journal, ignored);
}

}  // namespace gpueval
