// SPDX-License-Identifier: Apache-2.0
#include "task/detection/matching.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "gpueval/error.h"

namespace gpueval {
namespace {

void check_detection(const Detection& detection) {
  const Box& box = detection.box;
  GPUEVAL_CHECK(detection.category >= 0 && detection.score >= 0 && detection.score <= 1 && std::isfinite(box.x) &&
                    std::isfinite(box.y) && std::isfinite(box.width) && std::isfinite(box.height),
                "category {}, score {}, box {} {} {} {}", detection.category, detection.score, box.x, box.y, box.width,
                box.height);
}

std::map<int, CategoryBoxes> boxes_by_category(std::span<const Detection> detections, std::span<const TruthBox> truth) {
  std::map<int, CategoryBoxes> categories;
  for (const TruthBox& box : truth) categories[box.category].truth.push_back(&box);
  for (const Detection& detection : detections) {
    check_detection(detection);
    categories[detection.category].detections.push_back(&detection);
  }
  for (auto& entry : categories) {
    std::stable_sort(entry.second.detections.begin(), entry.second.detections.end(),
                     [](const Detection* a, const Detection* b) { return a->score > b->score; });
  }
  return categories;
}

TruthCounts count_truths(std::span<const TruthBox* const> truth) {
  TruthCounts counts;
  for (const TruthBox* box : truth) {
    for (std::size_t range = 0; range < kAreaRanges; ++range) {
      counts.coco[range] += !box->crowd && in_range(box->area, static_cast<AreaRange>(range)) ? 1 : 0;
    }
    counts.voc += !box->crowd && !box->difficult ? 1 : 0;
  }
  return counts;
}

}  // namespace

Score detection_score(std::span<const Detection> detections, std::span<const TruthBox> truth, bool nan) {
  Score score{nan ? 1.0 : 0.0};
  for (const auto& [category, boxes] : boxes_by_category(detections, truth)) {
    std::vector<Judgement> judgements(boxes.detections.size());
    judge_coco(boxes, judgements);
    judge_voc(boxes, judgements);
    append_category(score, category, count_truths(boxes.truth), judgements.size());
    for (std::size_t i = 0; i < judgements.size(); ++i) append_detection(score, *boxes.detections[i], judgements[i]);
  }
  return score;
}

}  // namespace gpueval
