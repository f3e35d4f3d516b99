// SPDX-License-Identifier: Apache-2.0
// Intersection over union of the classes, from the confusions of all pictures together.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gpueval/task.h"
#include "task/segmentation/confusion.h"

namespace gpueval {

struct SegmentationMetrics {
  std::int64_t images = 0, pixels = 0, correct_pixels = 0;  // pixels: whose truth is not void
  std::vector<std::optional<double>> iou;                   // by class; absent where truth and answers have none of it
  // Over the classes that have one, as cityscapesScripts and torchmetrics average (VOC's devkit gives NaN where a class
  // is absent). The background counts like any other class. Absent without pixels.
  std::optional<double> mean_iou;
  std::optional<double> pixel_accuracy;  // correct / pixels
};
SegmentationMetrics segmentation_metrics(std::span<const Score> scores);

// Pixels of a class whose truth is not void.
struct ClassOverlap {
  std::int64_t both = 0;    // that have it and get it
  std::int64_t either = 0;  // that have it or get it

  std::optional<double> iou() const {
    return either == 0 ? std::nullopt : std::optional(static_cast<double>(both) / static_cast<double>(either));
  }
};
// By class, of one picture.
std::vector<ClassOverlap> class_overlaps(const Score& score);
std::optional<double> mean_iou(std::span<const ClassOverlap> classes);

}  // namespace gpueval
