// SPDX-License-Identifier: Apache-2.0
// The score of a pair is the number of boxes that both rows find, twice, then those of the first row and of this one,
// of scores of .5 or more, and signal and noise of the raw outputs.
#include "task/detection/scorer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "gpueval/error.h"
#include "task/detection/decode.h"
#include "task/detection/matching.h"
#include "task/output_error.h"

namespace gpueval {
namespace {

constexpr double kSure = 0.5, kSameBox = 0.5;  // score, IoU

bool same_box(const Detection& a, const Detection& b) {
  return a.category == b.category && coco_iou(a.box, b.box, false) >= kSameBox;
}

std::vector<Detection> sure_ones(const std::vector<Detection>& all) {
  std::vector<Detection> result;
  std::copy_if(all.begin(), all.end(), std::back_inserter(result), [](const Detection& d) { return d.score >= kSure; });
  return result;
}

std::size_t common_boxes(const std::vector<Detection>& first, const std::vector<Detection>& second) {
  std::vector<bool> taken(first.size(), false);
  std::size_t common = 0;
  for (const Detection& detection : second) {
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (taken[i] || !same_box(first[i], detection)) continue;
      taken[i] = true;
      ++common;
      break;
    }
  }
  return common;
}

class DetectionScorer : public Scorer {
 public:
  DetectionScorer(Priors priors, const DetectorOutputs& which, const Shape& input)
      : priors_(std::move(priors)), which_(which), input_(input) {}

  void check_truth(const Dataset& data, std::size_t, std::size_t) const override {
    if (data.truth() != TruthKind::kBoxes) fail("{}: has no boxes to judge detections by", data.path());
    const std::vector<std::string> names = data.class_names();
    if (!names.empty() && names != priors_.classes) {
      fail("{}: its classes are {}, but those of the priors {} are {}", data.path(), fmt::join(names, ", "),
           priors_.name, fmt::join(priors_.classes, ", "));
    }
  }

  void score(const JudgedImage& image, std::span<const ImageOutputs> outputs, std::span<Score> samples,
             std::span<Score> pairs) const override {
    const std::vector<TruthBox> truth = image.data.boxes(image.index);
    std::vector<Detection> first;
    for (std::size_t row = 0; row < outputs.size(); ++row) {
      std::vector<Detection> found = detections(priors_, which_, outputs[row], input_, image.geometry);
      samples[row] = detection_score(found, truth, any_nan(outputs[row]));
      found = sure_ones(found);
      if (row == 0) {
        first = std::move(found);
        continue;
      }
      const OutputError error = output_error(outputs[0], outputs[row]);
      pairs[row] = {2.0 * static_cast<double>(common_boxes(first, found)), static_cast<double>(first.size()),
                    static_cast<double>(found.size()), error.signal, error.noise};
    }
  }

  std::string postprocessing() const override {
    return fmt::format("decode and NMS (scores above {:g}, IoU {:g})", priors_.score_threshold, priors_.nms_threshold);
  }
  void postprocess(ImageOutputs outputs, std::optional<double> score_threshold) const override {
    Thresholds thresholds = thresholds_of(priors_);
    if (score_threshold) thresholds.score = *score_threshold;
    [[maybe_unused]] const auto found = detect(priors_, thresholds, outputs[which_.boxes], outputs[which_.scores]);
  }

  std::optional<Detector> detector(std::optional<double> score_threshold) const override {
    Detector detector{priors_, which_};
    if (score_threshold) detector.priors.score_threshold = *score_threshold;
    return detector;
  }

  std::vector<std::string> class_names() const override { return priors_.classes; }

  bool possible(const Score& sample, const Dataset& data, std::size_t image) const override {
    return possible_detection_score(sample, static_cast<int>(priors_.classes.size()), data.boxes(image));
  }
  bool possible_pair(const Score& pair) const override {
    const bool finite = std::all_of(pair.begin(), pair.end(), [](double v) { return std::isfinite(v) && v >= 0; });
    return pair.size() == 5 && finite && pair[0] <= pair[1] + pair[2];
  }

 private:
  const Priors priors_;
  const DetectorOutputs which_;
  const Shape input_;
};

}  // namespace

std::vector<Detection> detections(const Priors& priors, const DetectorOutputs& which, ImageOutputs outputs,
                                  const Shape& input, const Geometry& geometry) {
  std::vector<Detection> result;
  for (const FoundBox& found : detect(priors, thresholds_of(priors), outputs[which.boxes], outputs[which.scores])) {
    const double x1 = geometry.picture_x(double{found.x1} * input.w),
                 x2 = geometry.picture_x(double{found.x2} * input.w);
    const double y1 = geometry.picture_y(double{found.y1} * input.h),
                 y2 = geometry.picture_y(double{found.y2} * input.h);
    const Box box{x1, y1, x2 - x1, y2 - y1};
    if (std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) && std::isfinite(box.height))
      result.push_back({found.category, found.score, box});
  }
  return result;
}

std::unique_ptr<Scorer> detection_scorer(Priors priors, const DetectorOutputs& which, const Shape& input) {
  return std::make_unique<DetectionScorer>(std::move(priors), which, input);
}

}  // namespace gpueval
