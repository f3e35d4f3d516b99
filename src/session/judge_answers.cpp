// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "core/clock.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "gpueval/selection.h"
#include "gpueval/session.h"
#include "io/data/annotated/coco.h"
#include "io/data/annotated/label_map.h"
#include "task/detection/detection_file.h"
#include "task/detection/matching.h"
#include "task/segmentation/confusion.h"

namespace gpueval {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Dataset> open_truth(const JudgePlan& plan, TruthKind kind) {
  std::error_code ignored;
  if (kind == TruthKind::kBoxes && !fs::is_directory(plan.truth, ignored)) {
    if (!plan.split.empty()) fail_usage("split {}: {} is one file", plan.split, plan.truth);
    return data::open_coco_truth(plan.truth, {});
  }
  return open_annotated({.path = plan.truth, .split = plan.split, .truth = kind, .map = plan.map});
}

std::vector<Score> judge_detections(const Dataset& truth, const std::string& answers) {
  std::vector<std::int64_t> images, categories;
  for (std::size_t i = 0; i < truth.size(); ++i) images.push_back(truth.image_id(i));
  for (int c = 0; c < std::ssize(truth.class_names()); ++c) categories.push_back(truth.category_id(c));
  const auto found = read_detections(answers, images, categories);
  std::vector<Score> scores;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    stop_point();
    const auto at = found.find(images[i]);
    scores.push_back(detection_score(at == found.end() ? std::vector<Detection>{} : at->second, truth.boxes(i)));
  }
  return scores;
}

int most_class(const LabelMap& map) {
  int most = 0;
  for (const std::uint8_t value : map.classes) most = value == LabelMap::kVoid ? most : std::max<int>(most, value);
  return most;
}

std::vector<Score> judge_masks(const Dataset& truth, const std::string& folder) {
  const auto answer = [&](std::size_t i) {
    const std::string name = fs::path(truth.name(i)).stem().string() + ".png";
    return data::read_label_map((fs::path(folder) / name).string());
  };
  int classes = std::max<int>(2, static_cast<int>(truth.class_names().size()));
  std::vector<Score> scores;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    stop_point();
    const LabelMap map = truth.label_map(i), found = answer(i);
    if (map.height != found.height || map.width != found.width) {
      fail("{}: the label map of {} has {} x {} pixels, but the truth has {} x {}", folder, truth.name(i), found.width,
           found.height, map.width, map.height);
    }
    classes = std::max({classes, most_class(map) + 1, most_class(found) + 1});
    scores.push_back(confusion_score(map, found.classes, LabelMap::kVoid));
  }
  for (Score& score : scores) set_confusion_classes(score, classes);
  return scores;
}

// What is no class stands there in place of one, seldom on purpose.
std::optional<std::string> void_answers(std::span<const Score> scores) {
  std::int64_t pixels = 0, none = 0;
  for (const Score& score : scores) {
    for (const ConfusionCell& cell : confusion_cells(score)) {
      pixels += cell.pixels;
      none += cell.predicted == LabelMap::kVoid ? cell.pixels : 0;
    }
  }
  if (none == 0) return std::nullopt;
  return fmt::format(
      "{} of the {} pixels that are judged have the answer 255, which is no class and counts as wrong. Answers of "
      "0 and 255 that are two classes want 1 in the place of 255.",
      none, pixels);
}

DataReport describe_truth(const Dataset& truth, const JudgePlan& plan) {
  std::vector<std::size_t> indices(truth.size());
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = i;
  DataReport data;
  data.path = truth.path();
  data.kind = truth.kind();
  data.count = data.size = truth.size();
  data.last = truth.size() - 1;
  data.target_sha256 = target_sha256(truth, 0, truth.size());
  data.indices_sha256 = indices_sha256(indices);
  data.split = plan.split;
  if (!plan.map) data.class_names = truth.class_names();
  return data;
}

}  // namespace

Report judge_answers(const JudgePlan& plan) {
  const Task& task = find_task(plan.task);
  if (task.truth() != TruthKind::kBoxes && task.truth() != TruthKind::kLabelMap)
    fail_usage("task {}: answers are judged of detection and segmentation", plan.task);
  const double start = steady_seconds();
  const std::unique_ptr<Dataset> truth = open_truth(plan, task.truth());
  if (truth->size() == 0) fail("{}: has no pictures", plan.truth);
  Report report;
  report.tool = tool_info();
  report.host = host_info();
  report.task = task.name();
  report.model.name = "answers";
  report.model.weights = plan.answers;
  report.data = describe_truth(*truth, plan);
  RunReport& run = report.runs.emplace_back();
  run.precision = "answers";
  run.accuracy.emplace();
  run.accuracy->samples =
      task.truth() == TruthKind::kBoxes ? judge_detections(*truth, plan.answers) : judge_masks(*truth, plan.answers);
  task.summarise(*run.accuracy);
  report.data->seconds = steady_seconds() - start;
  const GroundTruth notes = truth->ground_truth();
  report.warnings = notes.warnings;
  report.notes = notes.notes;
  const auto add = [&](const std::optional<std::string>& warning) {
    if (warning) report.warnings.push_back(*warning);
  };
  if (task.truth() == TruthKind::kLabelMap) add(void_answers(run.accuracy->samples));
  add(task.doubt("the file", *run.accuracy, 0));
  return report;
}

}  // namespace gpueval
