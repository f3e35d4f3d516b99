// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/lookup.h"
#include "cli/recipe.h"
#include "cli/session.h"
#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

constexpr std::size_t kCalibrationImages = 128;
constexpr std::size_t kDemoCalibrationImages = 512;

// Where nothing is judged, class folders need not be the network's; a list that is named has to be right anyway.
LabelRules label_rules(const Options& options, const ModelSpec& spec) {
  const bool judges = options.command == Command::kTable || options.command == Command::kSensitivity ||
                      (options.command == Command::kMeasure && options.mode != "speed");
  return judges || !options.labels.empty() ? spec.labels : LabelRules{};
}

}  // namespace

LoadedData load_data(const Options& options, const ModelSpec& spec) {
  LoadedData data;
  if (!options.data.empty()) {
    data.images = open_dataset(options.data, options.labels, LabelUse::kJudged, label_rules(options, spec));
  } else if (options.demo()) {
    data.images = open_dataset("demo", "");
  } else if (options.mode != "speed") {
    const std::vector<std::string> names{"val224_compressed.pkl", "val224_sample.pkl"};
    if (const auto path = find_file(names)) {
      data.images = open_dataset(*path, "", LabelUse::kJudged, label_rules(options, spec));
    } else {
      data.missing = fmt::format("No images for {}: {} is not in {}; name a pickle or an image folder with --data.",
                                 spec.name, fmt::join(names, " or "), searched_places());
    }
  }
  if (data.images && data.images->kind() != "folder" && !options.labels.empty()) {
    fail_usage("--labels contradicts --data {}, which holds its labels: they are for a folder of images", options.data);
  }
  if (data.images && data.images->size() == 0) fail("{}: the data set has no images", data.images->path());
  if (data.images && data.images->kind() == "demo") data.calibration = open_demo("calibration", kDemoCalibrationImages);
  return data;
}

bool calibrates(const Options& options) {
  return options.has_int8() && (is_auto(options) || needs_calibration(parse_scheme(options.scheme)));
}

ImagePlan plan_images(const Options& options, const LoadedData& data) {
  ImagePlan plan;
  if (!data.images) {
    plan.calibration_count = options.calibration_images.value_or(32);
    return plan;
  }
  const std::size_t size = data.images->size();
  const std::size_t source = data.calibration ? data.calibration->size() : size;
  if (calibrates(options) && (options.calibration_table.empty() || options.command == Command::kCalibrate)) {
    const std::size_t usual =
        source < 4 * kCalibrationImages ? std::max<std::size_t>(source / 4, 1) : kCalibrationImages;
    plan.calibration_count = options.calibration_images.value_or(usual);
    if (plan.calibration_count > source) {
      fail_usage("--calibration-images {}: {} has {} images", plan.calibration_count, data.images->path(), source);
    }
    if (!data.calibration) plan.first = plan.calibration_count;
  }
  plan.count = std::min(size - plan.first, options.limit.value_or(size));
  return plan;
}

}  // namespace gpueval::cli
