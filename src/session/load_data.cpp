// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gpueval/error.h"
#include "gpueval/session.h"

namespace gpueval {
namespace {

constexpr std::size_t kDemoCalibrationImages = 512;

// A network that classifies nothing has no use for labels; outputs alone are saved of pictures without any, too.
LabelUse label_use(const Plan& plan, const ModelSpec& spec) {
  const bool judged = plan.accuracy && spec.labels.classes > 0 && !(plan.outputs.any() && plan.data.labels.empty());
  return judged ? LabelUse::kJudged : LabelUse::kUnused;
}

// Where nothing is judged, class folders need not be the network's; a list that is named has to be right anyway.
LabelRules label_rules(const Plan& plan, const ModelSpec& spec) {
  return label_use(plan, spec) == LabelUse::kJudged || !plan.data.labels.empty() ? spec.labels : LabelRules{};
}

}  // namespace

LoadedData load_data(const Plan& plan, const ModelSpec& spec) {
  LoadedData data;
  const std::string& path = plan.data.path;
  if (!path.empty()) {
    data.images = open_dataset(path, plan.data.labels, label_use(plan, spec), label_rules(plan, spec));
  } else if (spec.built_in && spec.name == "demo") {
    data.images = open_dataset("demo", "");
  } else if (!spec.labels.imagenet) {
    data.missing =
        fmt::format("No images for {}: name a folder, an .npy or a pickle of its classes as the data.", spec.name);
  } else if (plan.accuracy || !plan.speed) {  // synthetic images do for speed
    const std::vector<std::string> names{"val224_compressed.pkl", "val224_sample.pkl"};
    if (const auto found = find_file(names)) {
      data.images = open_dataset(*found, "", LabelUse::kJudged, label_rules(plan, spec));
    } else {
      data.missing = fmt::format("No images for {}: {} is not in {}; name a pickle or an image folder as the data.",
                                 spec.name, fmt::join(names, " or "), searched_places());
    }
  }
  if (data.images && data.images->kind() != "folder" && data.images->kind() != "npy" && !plan.data.labels.empty()) {
    fail_usage("labels contradicts the data {}, which holds its labels: they are for a folder of images or an .npy",
               path);
  }
  if (data.images && data.images->size() == 0) fail("{}: the data set has no images", data.images->path());
  if (data.images && data.images->kind() == "demo") data.calibration = open_demo("calibration", kDemoCalibrationImages);
  return data;
}

}  // namespace gpueval
