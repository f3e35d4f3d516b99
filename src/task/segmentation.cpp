// SPDX-License-Identifier: Apache-2.0
// The task `segmentation`: IoU of the classes from one confusion matrix of all pictures (docs/metrics.md); the interval
// of the difference is a paired bootstrap over pictures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gpueval/error.h"
#include "task/bootstrap.h"
#include "task/output_error.h"
#include "task/segmentation/mean_iou.h"
#include "task/segmentation/resampled_iou.h"
#include "task/segmentation/scorer.h"

namespace gpueval {
namespace {

ResultField number(const char* name, const std::optional<double>& value) {
  return value ? ResultField{name, *value} : ResultField{name, std::monostate{}};
}

class SegmentationTask : public Task {
 public:
  std::string name() const override { return "segmentation"; }
  TruthKind truth() const override { return TruthKind::kLabelMap; }

  std::unique_ptr<Scorer> scorer(const Shape& input, std::span<const NetworkOutput> outputs,
                                 const TaskOptions& options) const override {
    if (outputs.size() != 1) fail("segmentation is of networks with one output, a map of class logits");
    return segmentation_scorer(input, outputs[0], options);
  }

  std::vector<std::string> metric_names() const override { return {"mIoU", "pixels"}; }

  void summarise(AccuracyResult& result) const override {
    const SegmentationMetrics metrics = segmentation_metrics(result.samples);
    result.images = metrics.images;
    result.nan_images = std::count_if(result.samples.begin(), result.samples.end(), confusion_had_nan);
    result.metrics = {{"mIoU", metrics.mean_iou.value_or(std::nan(""))},
                      {"pixels", metrics.pixel_accuracy.value_or(std::nan(""))}};
    if (const auto found = bootstrap(ResampledIou(result.samples))) result.metrics[0].ci95 = found->ci95;
  }

  std::optional<double> headline(std::span<const Score> samples) const override {
    return segmentation_metrics(samples).mean_iou;
  }

  PairedComparison compare(const AccuracyResult& first, const AccuracyResult& second) const override {
    return compare_resampled<ResampledIou>(*this, first, second);
  }

  Agreement agreement(std::span<const Score> pairs) const override {
    Agreement result;
    double same = 0, pixels = 0;
    for (const Score& pair : pairs) {
      same += pair[0];
      pixels += pair[1];
      result.logits.add(logit_error_of({pair[2], pair[3]}));
    }
    result.share = pixels > 0 ? same / pixels : 1;
    return result;
  }

  ClassValues by_class(const AccuracyResult& result) const override {
    const std::vector<std::optional<double>> iou = segmentation_metrics(result.samples).iou;
    ClassValues values{"IoU", {}};
    for (std::size_t i = 0; i < iou.size(); ++i) values.classes.push_back({static_cast<int>(i), iou[i]});
    return values;
  }

  PairDifference difference(const Score& pair) const override {
    const double share = pair[1] > 0 ? 1 - pair[0] / pair[1] : 0;
    return {share, fmt::format("{:.2f}% of the pixels differ", 100 * share)};
  }

  std::optional<std::string> doubt(const std::string& row, const AccuracyResult& result, int) const override {
    const SegmentationMetrics metrics = segmentation_metrics(result.samples);
    std::size_t found = 0, classes = 0;
    for (const std::optional<double>& iou : metrics.iou) {
      classes += iou ? 1 : 0;
      found += iou.value_or(0) > 0.01 ? 1 : 0;
    }
    if (result.images < 5 || found > 1) return std::nullopt;
    if (classes == 1) {
      return fmt::format(
          "The masks of {} images have one class alone beside void, so mIoU says nothing of the others. Masks of 0 and "
          "255 that are two classes want --map-classes 255:1.",
          result.images);
    }
    return fmt::format(
        "{} finds {} of the {} classes on {} images, so no number of accuracy here means anything. Usual causes: masks "
        "whose values are other classes (--map-classes), red and blue exchanged, or another preprocessing than the "
        "network was trained with.",
        row, found, classes, result.images);
  }

  std::string same_answer() const override { return "pixels of the same class"; }
  std::string legend(const std::string& first) const override {
    return fmt::format(
        "mIoU: mean over the classes that occur, one confusion matrix, void left out; pixels: with the right class; "
        "diff: points of mIoU against {}; 95% CI: bootstrap over pictures, of diff paired; agree: {}.",
        first, same_answer());
  }

  std::vector<ResultField> fields(const AccuracyResult& result) const override {
    const SegmentationMetrics metrics = segmentation_metrics(result.samples);
    std::vector<ResultField> fields{
        {"images", result.images},
        {"definition", std::string("mean IoU over the classes that occur, one confusion matrix, without void")},
        number("miou", metrics.mean_iou)};
    if (result.metrics[0].ci95) fields.push_back({"miou_ci95", *result.metrics[0].ci95});
    fields.push_back({"iou", metrics.iou});
    fields.push_back(number("pixel_accuracy", metrics.pixel_accuracy));
    fields.push_back({"pixels", metrics.pixels});
    fields.push_back({"nan_images", result.nan_images});
    return fields;
  }

  std::vector<ResultField> fields(const PairedComparison& paired) const override {
    return {{"miou_diff", paired.diff},
            {"miou_diff_ci95", paired.diff_ci95},
            {"resamples", std::int64_t{paired.resamples}},
            {"pixel_agreement", paired.agreement},
            {"agreement", paired.agreement}};
  }
};

}  // namespace

const Task& segmentation_task() {
  static const SegmentationTask task;
  return task;
}

}  // namespace gpueval
