// SPDX-License-Identifier: Apache-2.0
// Average precision from the ranks of the detections that hit. Between two of them precision only falls, so no other
// rank matters to a maximum of it.
#pragma once

#include <array>
#include <span>

namespace gpueval {

// Behind a detection that hit: how many have, of how many that count.
struct HitPoint {
  double hits = 0, judged = 0;
};

inline constexpr int kRecalls = 101;  // 0, .01 .. 1

// COCO's precision at each of the recalls: the largest at that recall or a higher one, 0 beyond the last. truths > 0.
std::array<double, kRecalls> coco_precisions(std::span<const HitPoint> points, double truths);
double coco_ap(std::span<const HitPoint> points, double truths);  // their mean

// PASCAL VOC's until 2009: the mean of the largest precision at recalls of 0, .1 .. 1 or higher.
double voc07_ap(std::span<const HitPoint> points, double truths);
// PASCAL VOC's from 2010 on: the area under the largest precision at each recall or a higher one.
double voc10_ap(std::span<const HitPoint> points, double truths);

}  // namespace gpueval
