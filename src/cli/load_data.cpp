// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "cli/lookup.h"
#include "cli/recipe.h"
#include "cli/session.h"
#include "gpueval/error.h"

namespace gpueval::cli {
namespace {

constexpr std::size_t kCalibrationImages = 128;
constexpr std::size_t kDemoCalibrationImages = 512;
constexpr std::size_t kSyntheticImages = 32;

bool judges(const Options& options) {
  return options.command == Command::kTable || options.command == Command::kSensitivity ||
         (options.command == Command::kMeasure && options.mode != "speed");
}

// Where nothing is judged, class folders need not be the network's; a list that is named has to be right anyway.
LabelRules label_rules(const Options& options, const ModelSpec& spec) {
  return judges(options) || !options.labels.empty() ? spec.labels : LabelRules{};
}

}  // namespace

LoadedData load_data(const Options& options, const ModelSpec& spec) {
  LoadedData data;
  if (!options.data.empty()) {
    data.images = open_dataset(options.data, options.labels, judges(options) ? LabelUse::kJudged : LabelUse::kUnused,
                               label_rules(options, spec));
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

bool calibrates_on_judged(const Options& options, const LoadedData& data) {
  const bool judged = options.command == Command::kMeasure || options.command == Command::kTable ||
                      options.command == Command::kSensitivity;
  return judged && data.images && !data.calibration && calibrates(options) && options.calibration_table.empty();
}

std::size_t calibration_count(const Options& options, const LoadedData& data) {
  if (!data.images) return options.calibration_images.value_or(kSyntheticImages);
  const Dataset& source = data.calibration ? *data.calibration : *data.images;
  const std::size_t share =
      calibrates_on_judged(options, data) ? std::max<std::size_t>(source.size() / 4, 1) : source.size();
  const std::size_t count = options.calibration_images.value_or(std::min(kCalibrationImages, share));
  if (count > source.size())
    fail_usage("--calibration-images {}: {} has {} images", count, source.path(), source.size());
  return count;
}

void check_images_left(const Options& options, const LoadedData& data) {
  if (!calibrates_on_judged(options, data) || calibration_count(options, data) < data.images->size()) return;
  fail("{}: all {} images are used for calibration; lower --calibration-images or name a --calibration-table",
       data.images->path(), data.images->size());
}

JudgedSet judged_set(const Options& options, const LoadedData& data, const CalibrationTable& table,
                     std::optional<std::size_t> limit) {
  std::vector<std::size_t> calibrated;
  if (calibrates_on_judged(options, data)) {
    for (const ImageDigest& image : table.calibration_images) calibrated.push_back(image.index);
  }
  const std::size_t most = limit ? *limit : options.limit.value_or(data.images->size());
  OtherImages others = other_images(*data.images, calibrated, table.calibration_images, most);
  if (others.indices.empty()) {
    fail("{}: each of its {} images is one that int8 was calibrated on; judge other images, or calibrate on fewer",
         data.images->path(), data.images->size());
  }
  JudgedSet judged{others.indices, select(*data.images, others.indices), others.taken, others.same_content};
  // By number or by content: of a table only the contents tell.
  if (!options.calibration_table.empty()) std::swap(judged.left_out, judged.same_content);
  return judged;
}

}  // namespace gpueval::cli
