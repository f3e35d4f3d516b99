// SPDX-License-Identifier: Apache-2.0
#include "session/settle_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "gpueval/error.h"
#include "gpueval/priors.h"
#include "session/prepare.h"

namespace gpueval {
namespace {

bool gives_a_map(const ModelReport& model) {
  return model.outputs.size() == 1 && model.outputs.front().shape.pixels() > 1;
}

// Empty: none.
std::string task_name(const Plan& plan, const LoadedModel& model) {
  if (!plan.task.name.empty()) return plan.task.name;
  if (!plan.task.priors.empty() || model.spec->truth == TruthKind::kBoxes) return "detection";
  if (model.spec->truth == TruthKind::kLabelMap) return "segmentation";
  if (model.report.classes > 0) return "classification";
  return gives_a_map(model.report) ? "segmentation" : "";
}

// Of a network that no task is told for.
std::string of_no_task(const LoadedModel& model) {
  const Graph& graph = model.graph;
  const std::string found = graph.outputs.size() > 1 ? fmt::format("{} outputs", graph.outputs.size())
                                                     : "an output of " + to_string(graph.output_node().shape);
  return fmt::format(
      "{}: accuracy is measured of classifiers, segmentations and detectors (--priors), and this network has {}",
      model.report.weights, found);
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// Whose classes the scores are: VOC's or COCO's, each with a background. Empty: of neither.
std::string data_set_of(const ModelReport& model) {
  constexpr int kVoc = 21, kCoco = 81;
  for (const NetworkOutput& output : model.outputs) {
    if (output.name == "mbox_conf" && output.shape.c == kVoc) return "voc";
    if (output.name == "mbox_conf" && output.shape.c == kCoco) return "coco";
  }
  return "";
}

// The priors of a built-in detector: the scales of its classes' data set, but for those that are asked for.
void take_own_priors(const Plan& plan, const LoadedModel& model, JudgedBy& judged) {
  const std::string& prefix = model.spec->priors;
  if (prefix.empty() && !plan.anchors.empty())
    fail_usage("anchors {}: they are of ssd300 and ssd512; others take priors", plan.anchors);
  if (!judged.options.priors.empty() && !plan.anchors.empty())
    fail_usage("anchors {} contradicts the priors {}", plan.anchors, judged.options.priors);
  if (prefix.empty() || !judged.options.priors.empty()) return;
  if (const std::vector<std::string> names = embedded_priors(); std::count(names.begin(), names.end(), prefix) > 0) {
    judged.options.priors = prefix;
    return;
  }
  const std::string own = data_set_of(model.report);
  if (own.empty()) return;  // the user's classes: their names come with --priors
  judged.options.priors = prefix + "_" + own;
  if (!plan.anchors.empty()) judged.options.anchors = prefix + "_" + plan.anchors;
  const std::string file = lower(std::filesystem::path(model.report.weights).filename().string());
  const bool coco = file.find("coco") != std::string::npos || file.find("_ft_") != std::string::npos;
  if (plan.anchors.empty() && own == "voc" && coco) {
    judged.warnings.push_back(
        fmt::format("The name of {} says that it was trained on COCO first, with COCO's scales of boxes; the scales "
                    "used are VOC's, "
                    "which would cost many points. --anchors coco takes the others.",
                    file));
  }
}

// VOC2007's test pictures are part of what "07++12" was trained on.
void doubt_training(const Plan& plan, const LoadedModel& model, JudgedBy& judged) {
  const std::string file = lower(std::filesystem::path(model.report.weights).filename().string());
  const bool trained = file.find("07++12") != std::string::npos || file.find("0712plus") != std::string::npos ||
                       file.find("07plus12") != std::string::npos;
  const bool voc2007 = lower(plan.data.path).find("voc2007") != std::string::npos;
  if (trained && voc2007 && plan.data.split == "test") {
    judged.warnings.push_back(fmt::format(
        "{} was trained on the test pictures of VOC2007 (07++12), so accuracy on them says nothing about others.",
        file));
  }
}

// What belongs to another task than the network's would be passed over in silence.
void check_options(const Plan& plan, const std::string& task) {
  const auto refuse = [&](const char* option, bool given, const char* of) {
    if (given) fail_usage("{}: it belongs to {}, and this network is judged by {}", option, of, task);
  };
  const bool detects = task == "detection", segments = task == "segmentation";
  const auto& accuracy = plan.accuracy;
  refuse("split", !detects && !segments && !plan.data.split.empty(), "segmentation and detection");
  refuse("calibration-split", !detects && !segments && !plan.data.calibration_split.empty(),
         "segmentation and detection");
  refuse("score-threshold", !detects && plan.task.score_threshold.has_value(), "detection");
  refuse("nms-threshold", !detects && plan.task.nms_threshold.has_value(), "detection");
  refuse("save-detections", !detects && accuracy && !accuracy->save_detections.empty(), "detection");
  refuse("map-classes", !segments && plan.data.map.has_value(), "segmentation");
  refuse("upsample", !segments && plan.task.aligned, "segmentation");
  refuse("save-masks", !segments && !plan.task.save_masks.empty(), "segmentation");
}

}  // namespace

JudgedBy settle_task(const Plan& plan, const LoadedModel& model) {
  JudgedBy result;
  const std::string name = task_name(plan, model);
  check_options(plan, name.empty() ? "none" : name);
  if (name.empty()) {
    result.why_not = of_no_task(model);
    return result;
  }
  result.task = &find_task(name);
  result.options = plan.task;
  take_own_priors(plan, model, result);
  doubt_training(plan, model, result);
  if (result.task->truth() == TruthKind::kBoxes && result.options.priors.empty() && plan.task.name.empty()) {
    result.why_not = model.report.weights + ": a detector is judged with its priors, which --priors names";
    return result;
  }
  try {
    result.scorer = result.task->scorer(model.report.input, model.report.outputs, result.options);
  } catch (const Error& error) {  // of a task that was not asked for
    if (!plan.task.name.empty() || !plan.task.priors.empty() || model.spec->built_in) throw;
    result.why_not = fmt::format("{}: {}", model.report.weights, error.what());
    return result;
  }
  result.classes = result.scorer->class_names();
  return result;
}

std::string why_unjudged(const JudgedBy& judged, const LoadedModel& model, const Dataset* images) {
  if (!judged.why_not.empty()) return judged.why_not;
  if (images == nullptr || images->truth() == judged.task->truth()) return "";
  if (judged.task->truth() == TruthKind::kClass) return images->path() + ": has no labels to measure accuracy with";
  return fmt::format("{}: {} of {} is measured on pictures with {} (docs/formats.md), which these have not",
                     images->path(), judged.task->name(), model.report.name,
                     judged.task->truth() == TruthKind::kBoxes ? "boxes" : "label maps");
}

}  // namespace gpueval
