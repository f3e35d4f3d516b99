// SPDX-License-Identifier: Apache-2.0
// VOCevaldet.m of the devkit, one category of one picture.
#include <algorithm>

#include "task/detection/matching.h"

namespace gpueval {
namespace {

constexpr double kVocIou = 0.5;

// The truth of the largest IoU, the first of equal ones, even if another detection has it.
std::size_t closest_truth(const Box& box, std::span<const TruthBox* const> truth, double& iou) {
  std::size_t best = 0;
  iou = 0;
  for (std::size_t t = 0; t < truth.size(); ++t) {
    const double here = voc_iou(box, truth[t]->box);
    if (here <= iou) continue;
    iou = here;
    best = t;
  }
  return best;
}

}  // namespace

double voc_iou(const Box& a, const Box& b) {
  const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x) + 1;
  const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y) + 1;
  if (width <= 0 || height <= 0) return 0;
  const double both = width * height;
  return both / ((a.width + 1) * (a.height + 1) + (b.width + 1) * (b.height + 1) - both);
}

void judge_voc(const CategoryBoxes& boxes, std::span<Judgement> judgements) {
  std::vector<bool> taken(boxes.truth.size());
  for (std::size_t d = 0; d < judgements.size(); ++d) {
    double iou = 0;
    const std::size_t t = closest_truth(boxes.detections[d]->box, boxes.truth, iou);
    if (iou < kVocIou) continue;
    if (boxes.truth[t]->difficult || boxes.truth[t]->crowd) {
      judgements[d].voc = VocVerdict::kIgnored;
    } else if (!taken[t]) {
      judgements[d].voc = VocVerdict::kTrue;
      taken[t] = true;
    }
  }
}

}  // namespace gpueval
