// SPDX-License-Identifier: Apache-2.0
#include "session/images.h"

#include <algorithm>
#include <utility>

#include "gpueval/error.h"
#include "gpueval/selection.h"

namespace gpueval {
namespace {

constexpr std::size_t kCalibrationImages = 128;
constexpr std::size_t kSyntheticImages = 32;

}  // namespace

PreprocessingChoice asked_preprocessing(const Plan& plan, const LoadedModel& model) {
  PreprocessingChoice choice = plan.data.preprocessing;
  if (model.pixel_chain) choice.normalization = model.input.normalization;
  return choice;
}

PreprocessingChoice preprocessing_choice(const Plan& plan, const LoadedModel& model) {
  if (!model.normalization_known && !plan.data.preprocessing.normalization) {
    fail_usage(
        "{}: nothing in it says how it takes pixels; say it with --normalize: tf (x / 127.5 - 1), unit (x / 255), "
        "torch, caffe, "
        "none, or mean=M,M,M:std=S,S,S",
        plan.model.file);
  }
  PreprocessingChoice choice = asked_preprocessing(plan, model);
  if (!choice.original && !choice.fit && model.spec->fit) choice.fit = model.spec->fit;
  // As Keras's own loaders of folders do; ImageNet's networks are judged on crops.
  if (!model.spec->built_in && !model.spec->labels.imagenet && !choice.original && !choice.fit) {
    choice.fit = Fit::kSquash;
    if (!choice.resize) choice.resize = Resize::kBilinear;
  }
  return choice;
}

Preprocessing preprocessing_of(const Plan& plan, const LoadedModel& model, const Dataset& images) {
  const bool as_it_is = images.kind() == "synthetic" || images.array();
  return make_preprocessing(model.input, images,
                            as_it_is ? asked_preprocessing(plan, model) : preprocessing_choice(plan, model));
}

bool calibrates(const Plan& plan) {
  return std::any_of(plan.rows.begin(), plan.rows.end(), [](const Row& row) { return row.calibrates(); });
}

bool calibrates_on_judged(const Plan& plan, const LoadedData& data) {
  const bool measures = plan.accuracy || plan.speed;
  return measures && data.images && !data.calibration && calibrates(plan) && plan.calibration.table.empty();
}

std::size_t calibration_count(const Plan& plan, const LoadedData& data) {
  const std::optional<std::size_t>& asked = plan.calibration.images;
  if (!data.images) return asked.value_or(kSyntheticImages);
  const Dataset& source = data.calibration ? *data.calibration : *data.images;
  const std::size_t share =
      calibrates_on_judged(plan, data) ? std::max<std::size_t>(source.size() / 4, 1) : source.size();
  const std::size_t count = asked.value_or(std::min(kCalibrationImages, share));
  if (count > source.size()) fail_usage("calibration-images {}: {} has {} images", count, source.path(), source.size());
  return count;
}

void check_images_left(const Plan& plan, const LoadedData& data) {
  if (!calibrates_on_judged(plan, data) || calibration_count(plan, data) < data.images->size()) return;
  fail("{}: all {} images are used for calibration; calibrate on fewer, or with a calibration table",
       data.images->path(), data.images->size());
}

JudgedSet judged_set(const Plan& plan, const LoadedData& data, const CalibrationTable& table,
                     std::optional<std::size_t> limit) {
  std::vector<std::size_t> calibrated;
  if (calibrates_on_judged(plan, data)) {
    for (const ImageDigest& image : table.calibration_images) calibrated.push_back(image.index);
  }
  const std::size_t most = limit ? *limit : plan.data.limit.value_or(data.images->size());
  OtherImages others = other_images(*data.images, calibrated, table.calibration_images, most);
  if (others.indices.empty()) {
    fail("{}: each of its {} images is one that int8 was calibrated on; judge other images, or calibrate on fewer",
         data.images->path(), data.images->size());
  }
  JudgedSet judged{others.indices, select(*data.images, others.indices), others.taken, others.same_content};
  // By number or by content: of a table only the contents tell.
  if (!plan.calibration.table.empty()) std::swap(judged.left_out, judged.same_content);
  return judged;
}

}  // namespace gpueval
