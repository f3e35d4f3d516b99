// SPDX-License-Identifier: Apache-2.0
// Which detections of a picture are right, by the rules of COCO (pycocotools 2.0.11) and of PASCAL VOC (its devkit).
// docs/metrics.md has both.
#pragma once

#include <span>
#include <vector>

#include "task/detection/score.h"

namespace gpueval {

// Judges all detections of a picture, in any order; equal scores keep theirs. Scores are 0 to 1 and edges finite: an
// Error else. nan: an output held a NaN, which is said once a picture.
Score detection_score(std::span<const Detection> detections, std::span<const TruthBox> truth, bool nan = false);

// Intersection over union of continuous boxes, 0 where they do not overlap; of a crowd the part of the detection
// inside.
double coco_iou(const Box& detection, const Box& truth, bool crowd);
// Of boxes whose corners are pixels, both of them inside: each edge is one longer than their difference.
double voc_iou(const Box& a, const Box& b);

double iou_threshold(int place);  // of kIouThresholds
// Ends count as inside: a box of 32^2 pixels is small and medium.
bool in_range(double area, AreaRange range);

// The boxes of one category: detections best first.
struct CategoryBoxes {
  std::vector<const Detection*> detections;
  std::vector<const TruthBox*> truth;
};
void judge_coco(const CategoryBoxes& boxes, std::span<Judgement> judgements);  // hits and ignored
void judge_voc(const CategoryBoxes& boxes, std::span<Judgement> judgements);   // voc

}  // namespace gpueval
