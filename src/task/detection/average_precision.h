// SPDX-License-Identifier: Apache-2.0
// Average precision and recall of all pictures, from their scores alone, in the pictures' order. docs/metrics.md has
// the definitions. A mean is over the categories with a truth that counts; without any it is absent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "task/detection/precision.h"
#include "task/detection/score.h"

namespace gpueval {

// By area range; index with static_cast<std::size_t>(AreaRange::...).
using RangeValues = std::array<std::optional<double>, kAreaRanges>;

struct CocoMetrics {
  RangeValues ap;                    // mean over the IoU thresholds .5, .55 .. .95
  std::optional<double> ap50, ap75;  // of all areas
  std::optional<double> ar1, ar10;   // of the best 1, 10 a picture and category
  RangeValues ar;                    // of the best 100
};
struct VocMetrics {
  std::optional<double> ap07, ap10;
};

struct CategoryMetrics {
  int category = 0;
  std::int64_t detections = 0;
  TruthCounts truth;
  CocoMetrics coco;
  VocMetrics voc;
};

struct DetectionMetrics {
  std::int64_t images = 0, detections = 0, truths = 0;  // truths: that count for COCO, of all areas
  // Detections whose score another one of the category has, in any picture: how those are ordered decides about AP.
  std::int64_t tied_scores = 0;
  CocoMetrics coco;
  VocMetrics voc;
  std::vector<CategoryMetrics> categories;  // with a truth or a detection, ascending
};

DetectionMetrics detection_metrics(std::span<const Score> scores);

// Precision at recalls of 0, .01 .. 1 and IoU .5, as COCO interpolates it: ap50 is its mean.
struct PrecisionCurve {
  int category = 0;
  std::array<double, kRecalls> precision{};
};
std::vector<PrecisionCurve> precision_curves(
    std::span<const Score> scores);  // of the categories with a truth, ascending

}  // namespace gpueval
