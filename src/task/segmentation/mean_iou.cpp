// SPDX-License-Identifier: Apache-2.0
#include "task/segmentation/mean_iou.h"

#include <algorithm>

namespace gpueval {
namespace {

void add_cell(const ConfusionCell& cell, std::span<ClassOverlap> classes) {
  classes[static_cast<std::size_t>(cell.truth)].either += cell.pixels;
  if (cell.predicted == cell.truth) {
    classes[static_cast<std::size_t>(cell.truth)].both += cell.pixels;
  } else if (cell.predicted != LabelMap::kVoid) {
    classes[static_cast<std::size_t>(cell.predicted)].either += cell.pixels;
  }
}

void add_score(const Score& score, std::vector<ClassOverlap>& classes, SegmentationMetrics& result) {
  const std::vector<ConfusionCell> cells = confusion_cells(score);
  classes.resize(std::max(classes.size(), static_cast<std::size_t>(score[1])));
  for (const ConfusionCell& cell : cells) {
    add_cell(cell, classes);
    result.pixels += cell.pixels;
    if (cell.truth == cell.predicted) result.correct_pixels += cell.pixels;
  }
}

}  // namespace

SegmentationMetrics segmentation_metrics(std::span<const Score> scores) {
  SegmentationMetrics result{.images = std::ssize(scores)};
  std::vector<ClassOverlap> classes;
  for (const Score& score : scores) add_score(score, classes, result);
  for (const ClassOverlap& overlap : classes) result.iou.push_back(overlap.iou());
  result.mean_iou = mean_iou(classes);
  if (result.pixels > 0) {
    result.pixel_accuracy = static_cast<double>(result.correct_pixels) / static_cast<double>(result.pixels);
  }
  return result;
}

std::vector<ClassOverlap> class_overlaps(const Score& score) {
  std::vector<ClassOverlap> classes;
  SegmentationMetrics ignored;
  add_score(score, classes, ignored);
  return classes;
}

std::optional<double> mean_iou(std::span<const ClassOverlap> classes) {
  double sum = 0;
  int count = 0;
  for (const ClassOverlap& overlap : classes) {
    if (overlap.either == 0) continue;
    sum += *overlap.iou();
    ++count;
  }
  return count == 0 ? std::nullopt : std::optional(sum / count);
}

}  // namespace gpueval
