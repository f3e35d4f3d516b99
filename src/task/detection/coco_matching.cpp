// SPDX-License-Identifier: Apache-2.0
// COCOeval.evaluateImg of pycocotools 2.0.11, one category of one picture, all area ranges and IoU thresholds.
#include <algorithm>

#include "task/detection/matching.h"

namespace gpueval {
namespace {

// A truth that a detection may be matched with at the lowest threshold.
struct Candidate {
  std::size_t truth = 0;
  double iou = 0;
};
using FreeTruths = std::vector<std::vector<Candidate>>;  // of each detection, in the truths' order

FreeTruths candidates_of(const CategoryBoxes& boxes) {
  FreeTruths result(std::min<std::size_t>(boxes.detections.size(), kCocoDetections));
  for (std::size_t d = 0; d < result.size(); ++d) {
    for (std::size_t t = 0; t < boxes.truth.size(); ++t) {
      const double iou = coco_iou(boxes.detections[d]->box, boxes.truth[t]->box, boxes.truth[t]->crowd);
      if (iou >= iou_threshold(0)) result[d].push_back({t, iou});
    }
  }
  return result;
}

class Matcher {
 public:
  Matcher(const CategoryBoxes& boxes, AreaRange range, int threshold)
      : boxes_(boxes),
        range_(range),
        least_(std::min(iou_threshold(threshold), 1 - 1e-10)),
        taken_(boxes.truth.size()) {}

  bool ignored(std::size_t truth) const {
    return boxes_.truth[truth]->crowd || !in_range(boxes_.truth[truth]->area, range_);
  }

  // The truth of the largest IoU, of equal ones the last; one that is ignored only where no other is left.
  const Candidate* match(std::span<const Candidate> candidates) {
    const Candidate* best = best_of(candidates, false);
    if (best == nullptr) best = best_of(candidates, true);
    if (best != nullptr) taken_[best->truth] = true;
    return best;
  }

 private:
  const Candidate* best_of(std::span<const Candidate> candidates, bool among_ignored) const {
    const Candidate* best = nullptr;
    for (const Candidate& candidate : candidates) {
      if (ignored(candidate.truth) != among_ignored) continue;
      if (taken_[candidate.truth] && !boxes_.truth[candidate.truth]->crowd) continue;
      if (candidate.iou >= (best == nullptr ? least_ : best->iou)) best = &candidate;
    }
    return best;
  }

  const CategoryBoxes& boxes_;
  AreaRange range_;
  double least_;
  std::vector<bool> taken_;
};

void judge_at(const CategoryBoxes& boxes, const FreeTruths& candidates, AreaRange range, int threshold,
              std::span<Judgement> judgements) {
  Matcher matcher(boxes, range, threshold);
  const std::uint64_t bit = std::uint64_t{1} << judgement_bit(range, threshold);
  for (std::size_t d = 0; d < candidates.size(); ++d) {
    const Candidate* const match = matcher.match(candidates[d]);
    const bool ignored =
        match == nullptr ? !in_range(boxes.detections[d]->box.area(), range) : matcher.ignored(match->truth);
    if (ignored) judgements[d].ignored |= bit;
    if (match != nullptr && !ignored) judgements[d].hits |= bit;
  }
}

}  // namespace

double iou_threshold(int place) {
  // As numpy.linspace(.5, .95, 10) rounds them.
  return place == kIouThresholds - 1 ? 0.95 : place * ((0.95 - 0.5) / (kIouThresholds - 1)) + 0.5;
}

bool in_range(double area, AreaRange range) {
  constexpr double kLow[kAreaRanges] = {0, 0, 32 * 32, 96 * 96}, kHigh[kAreaRanges] = {1e10, 32 * 32, 96 * 96, 1e10};
  return !(area < kLow[static_cast<int>(range)]) && !(area > kHigh[static_cast<int>(range)]);
}

double coco_iou(const Box& detection, const Box& truth, bool crowd) {
  const double width = std::min(detection.width + detection.x, truth.width + truth.x) - std::max(detection.x, truth.x);
  const double height =
      std::min(detection.height + detection.y, truth.height + truth.y) - std::max(detection.y, truth.y);
  if (width <= 0 || height <= 0) return 0;
  const double both = width * height;
  return both / (crowd ? detection.area() : detection.area() + truth.area() - both);
}

void judge_coco(const CategoryBoxes& boxes, std::span<Judgement> judgements) {
  const FreeTruths candidates = candidates_of(boxes);
  for (int range = 0; range < kAreaRanges; ++range) {
    for (int threshold = 0; threshold < kIouThresholds; ++threshold) {
      judge_at(boxes, candidates, static_cast<AreaRange>(range), threshold, judgements);
    }
  }
  for (std::size_t d = candidates.size(); d < judgements.size(); ++d) judgements[d].ignored = kAllIgnored;
}

}  // namespace gpueval
