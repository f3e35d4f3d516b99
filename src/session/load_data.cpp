// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gpueval/error.h"
#include "gpueval/session.h"
#include "models/demo.h"

namespace gpueval {
namespace {

constexpr std::size_t kDemoImages = 2000, kDemoScenes = 500, kDemoCalibrationImages = 512;

bool classifies(const JudgedBy& judged) { return judged.task != nullptr && judged.task->truth() == TruthKind::kClass; }

// A network that classifies nothing has no use for labels; outputs alone are saved of pictures without any, too.
LabelUse label_use(const Plan& plan, const JudgedBy& by) {
  const bool judged = plan.accuracy && classifies(by) && !(plan.outputs.any() && plan.data.labels.empty());
  return judged ? LabelUse::kJudged : LabelUse::kUnused;
}

// Where nothing is judged, class folders need not be the network's; a list that is named has to be right anyway.
LabelRules label_rules(const Plan& plan, const ModelSpec& spec, const JudgedBy& by) {
  return label_use(plan, by) == LabelUse::kJudged || !plan.data.labels.empty() ? spec.labels : LabelRules{};
}

AnnotatedRequest annotated(const Plan& plan, const JudgedBy& by) {
  return {.path = plan.data.path,
          .split = plan.data.split,
          .truth = by.task->truth(),
          .annotations = plan.data.labels,
          .classes = by.classes,
          .map = plan.data.map};
}

// Whether the data are to be opened with the truth of the task: pictures alone do for speed and for outputs.
bool opens_annotated(const Plan& plan, const JudgedBy& by) {
  if (by.task == nullptr || classifies(by)) {
    if (!plan.data.split.empty()) fail_usage("split {}: it is for pictures with boxes or label maps", plan.data.split);
    return false;
  }
  return !plan.data.split.empty() || !plan.task.name.empty() || is_annotated(annotated(plan, by));
}

void open_annotated_data(const Plan& plan, const JudgedBy& by, LoadedData& data) {
  AnnotatedRequest request = annotated(plan, by);
  data.images = open_annotated(request);
  if (plan.data.calibration_split.empty()) return;
  request.split = plan.data.calibration_split;
  data.calibration = open_annotated(request);
}

// Of the embedded networks: pictures that are drawn, with the truth of the task.
void open_demo_data(const JudgedBy& by, LoadedData& data) {
  const TruthKind truth = by.task != nullptr ? by.task->truth() : TruthKind::kClass;
  const auto open = [&](const char* split, std::size_t count) {
    if (truth == TruthKind::kBoxes) return open_demo_boxes(split, count);
    return truth == TruthKind::kLabelMap ? open_demo_masks(split, count) : open_demo(split, count);
  };
  data.images = open("test", truth == TruthKind::kClass ? kDemoImages : kDemoScenes);
  data.calibration = open("calibration", kDemoCalibrationImages);
}

}  // namespace

LoadedData load_data(const Plan& plan, const ModelSpec& spec, const JudgedBy& by) {
  LoadedData data;
  const std::string& path = plan.data.path;
  const bool drawn = path == "demo" || (path.empty() && spec.built_in && embeds_weights(spec.name));
  if (drawn && !(plan.data.split + plan.data.calibration_split).empty())
    fail_usage("split: the pictures of the demo are drawn, and have none");
  if (drawn) {
    open_demo_data(by, data);
  } else if (!path.empty() && opens_annotated(plan, by)) {
    open_annotated_data(plan, by, data);
  } else if (!path.empty()) {
    data.images = open_dataset(path, plan.data.labels, label_use(plan, by), label_rules(plan, spec, by));
  } else if (!spec.labels.imagenet) {
    data.missing =
        fmt::format("No images for {}: name a folder, an .npy or a pickle of its classes as the data.", spec.name);
  } else if (plan.accuracy || !plan.speed) {  // synthetic images do for speed
    const std::vector<std::string> names{"val224_compressed.pkl", "val224_sample.pkl"};
    if (const auto found = find_file(names)) {
      data.images = open_dataset(*found, "", LabelUse::kJudged, label_rules(plan, spec, by));
    } else {
      data.missing = fmt::format("No images for {}: {} is not in {}; name a pickle or an image folder as the data.",
                                 spec.name, fmt::join(names, " or "), searched_places());
    }
  }
  const bool annotated = data.images && data.images->truth() > TruthKind::kClass;
  if (data.images && !annotated && data.images->kind() != "folder" && data.images->kind() != "npy" &&
      !plan.data.labels.empty()) {
    fail_usage("labels contradicts the data {}, which holds its labels: they are for a folder of images or an .npy",
               path);
  }
  if (data.images && data.images->size() == 0) fail("{}: the data set has no images", data.images->path());
  return data;
}

}  // namespace gpueval
