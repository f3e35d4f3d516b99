// SPDX-License-Identifier: Apache-2.0
// The task `detection`: COCO's AP and its kin, VOC's two beside it (docs/metrics.md); the interval of the difference is
// a paired bootstrap over pictures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gpueval/error.h"
#include "task/bootstrap.h"
#include "task/detection/average_precision.h"
#include "task/detection/resampled_ap.h"
#include "task/detection/scorer.h"
#include "task/output_error.h"

namespace gpueval {
namespace {

constexpr std::size_t kQuick = 2000;

Metric metric(std::string name, const std::optional<double>& value) {
  return {std::move(name), value.value_or(std::nan(""))};
}

std::vector<ResultField> coco_fields(const CocoMetrics& coco) {
  const auto of = [](const RangeValues& values, AreaRange range) { return values[static_cast<std::size_t>(range)]; };
  std::vector<ResultField> fields;
  const auto add = [&](const char* name, const std::optional<double>& value) {
    fields.push_back(value ? ResultField{name, *value} : ResultField{name, std::monostate{}});
  };
  add("ap", of(coco.ap, AreaRange::kAll));
  add("ap50", coco.ap50);
  add("ap75", coco.ap75);
  add("ap_small", of(coco.ap, AreaRange::kSmall));
  add("ap_medium", of(coco.ap, AreaRange::kMedium));
  add("ap_large", of(coco.ap, AreaRange::kLarge));
  add("ar1", coco.ar1);
  add("ar10", coco.ar10);
  add("ar100", of(coco.ar, AreaRange::kAll));
  add("ar_small", of(coco.ar, AreaRange::kSmall));
  add("ar_medium", of(coco.ar, AreaRange::kMedium));
  add("ar_large", of(coco.ar, AreaRange::kLarge));
  return fields;
}

class DetectionTask : public Task {
 public:
  std::string name() const override { return "detection"; }
  TruthKind truth() const override { return TruthKind::kBoxes; }

  std::unique_ptr<Scorer> scorer(const Shape& input, std::span<const NetworkOutput> outputs,
                                 const TaskOptions& options) const override {
    Priors priors = priors_for(input, outputs, options);
    const DetectorOutputs which = detector_outputs(priors, outputs);
    return detection_scorer(std::move(priors), which, input);
  }

  std::vector<std::string> metric_names() const override { return {"AP", "AP50", "AP75"}; }

  void summarise(AccuracyResult& result) const override {
    const DetectionMetrics metrics = detection_metrics(result.samples);
    result.images = metrics.images;
    result.nan_images = std::count_if(result.samples.begin(), result.samples.end(), had_nan);
    const auto& ap = metrics.coco.ap[0];
    result.metrics = {metric("AP", ap), metric("AP50", metrics.coco.ap50), metric("AP75", metrics.coco.ap75)};
    if (const auto found = bootstrap(ResampledAp(result.samples))) result.metrics[0].ci95 = found->ci95;
  }

  std::optional<double> headline(std::span<const Score> samples) const override { return ResampledAp(samples).value(); }
  bool headline_is_quick(std::size_t images) const override { return images <= kQuick; }

  PairedComparison compare(const AccuracyResult& first, const AccuracyResult& second) const override {
    return compare_resampled<ResampledAp>(*this, first, second);
  }

  Agreement agreement(std::span<const Score> pairs) const override {
    Agreement result;
    double common = 0, boxes = 0;
    for (const Score& pair : pairs) {
      common += pair[0];
      boxes += pair[1] + pair[2];
      result.logits.add(logit_error_of({pair[3], pair[4]}));
    }
    result.share = boxes > 0 ? common / boxes : 1;
    return result;
  }

  ClassValues by_class(const AccuracyResult& result) const override {
    ClassValues values{"AP", {}};
    for (const CategoryMetrics& category : detection_metrics(result.samples).categories)
      values.classes.push_back({category.category, category.coco.ap[0]});
    return values;
  }

  std::vector<ClassCurve> curves(const AccuracyResult& result) const override {
    std::vector<ClassCurve> curves;
    for (const PrecisionCurve& curve : precision_curves(result.samples))
      curves.push_back({curve.category, {curve.precision.begin(), curve.precision.end()}});
    return curves;
  }

  PairDifference difference(const Score& pair) const override {
    const double boxes = pair[1] + pair[2], different = boxes - pair[0], all = pair[3] + pair[4];
    const double error =
        all > 0 ? pair[4] / all : 0;  // of the outputs, below 1: tells those apart whose boxes are as many
    if (different == 0)
      return {error, fmt::format("both find the same {:.0f} boxes of scores of .5 or more", boxes / 2)};
    return {different + error,
            fmt::format("{:.0f} of the {:.0f} boxes of scores of .5 or more are in one row alone", different, boxes)};
  }

  std::optional<std::string> doubt(const std::string& row, const AccuracyResult& result, int) const override {
    constexpr double kLeast = 0.05;
    constexpr std::int64_t kImages = 20;
    if (result.images < kImages || result.metrics.size() < 2 || result.metrics[1].value >= kLeast) return std::nullopt;
    return fmt::format(
        "{} has AP50 {:.2f}% on {} images: it hardly finds anything, so no number of accuracy here means anything. "
        "Usual causes: priors of another network or in another order, red and blue exchanged, or another preprocessing "
        "than the network was trained with; of a file, boxes that are not x, y, width and height in pixels, or classes "
        "counted from another number.",
        row, 100 * result.metrics[1].value, result.images);
  }

  std::string same_answer() const override { return "same class and IoU >= .5, of detections with scores >= .5"; }
  std::string legend(const std::string& first) const override {
    return fmt::format(
        "AP: COCO's, mean over IoU .5 to .95 and the classes; diff: points of AP against {}; 95% CI: bootstrap over "
        "pictures, of diff paired; agree: {}.",
        first, same_answer());
  }

  std::vector<ResultField> fields(const AccuracyResult& result) const override {
    const DetectionMetrics metrics = detection_metrics(result.samples);
    std::vector<ResultField> fields{{"images", result.images},
                                    {"definition", std::string("COCO (pycocotools 2.0.11)")}};
    const std::vector<ResultField> coco = coco_fields(metrics.coco);
    fields.insert(fields.end(), coco.begin(), coco.end());
    if (result.metrics[0].ci95) fields.push_back({"ap_ci95", *result.metrics[0].ci95});
    if (metrics.voc.ap07) fields.push_back({"voc07_ap", *metrics.voc.ap07});
    if (metrics.voc.ap10) fields.push_back({"voc10_ap", *metrics.voc.ap10});
    std::vector<std::optional<double>> ap, categories;
    for (const CategoryMetrics& category : metrics.categories) {
      categories.push_back(category.category);
      ap.push_back(category.coco.ap[0]);
    }
    fields.push_back({"classes", categories});
    fields.push_back({"ap_by_class", ap});
    fields.push_back({"boxes", metrics.truths});
    fields.push_back({"detections", metrics.detections});
    fields.push_back({"tied_scores", metrics.tied_scores});
    fields.push_back({"nan_images", result.nan_images});
    return fields;
  }

  std::vector<ResultField> fields(const PairedComparison& paired) const override {
    return {{"ap_diff", paired.diff},
            {"ap_diff_ci95", paired.diff_ci95},
            {"resamples", std::int64_t{paired.resamples}},
            {"agreement", paired.agreement}};
  }
};

}  // namespace

const Task& detection_task() {
  static const DetectionTask task;
  return task;
}

}  // namespace gpueval
