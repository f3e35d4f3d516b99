// SPDX-License-Identifier: Apache-2.0
#include "task/segmentation/resampled_iou.h"

#include <algorithm>

namespace gpueval {

ResampledIou::ResampledIou(std::span<const Score> scores) {
  for (const Score& score : scores) {
    const std::vector<ClassOverlap> classes = class_overlaps(score);
    classes_ = std::max(classes_, classes.size());
    for (std::size_t c = 0; c < classes.size(); ++c) {
      if (classes[c].either > 0) overlaps_.push_back({c, classes[c]});
    }
    starts_.push_back(overlaps_.size());
  }
}

std::optional<double> ResampledIou::value(PictureCounts counts) const {
  std::vector<ClassOverlap> sums(classes_);
  for (std::size_t picture = 0; picture < pictures(); ++picture) {
    if (counts[picture] == 0) continue;
    for (std::size_t i = starts_[picture]; i < starts_[picture + 1]; ++i) {
      sums[overlaps_[i].place].both += overlaps_[i].overlap.both * counts[picture];
      sums[overlaps_[i].place].either += overlaps_[i].overlap.either * counts[picture];
    }
  }
  return mean_iou(sums);
}

double ResampledIou::nanoseconds() const {
  return 10 * static_cast<double>(pictures()) + 3 * static_cast<double>(overlaps_.size()) +
         10 * static_cast<double>(classes_);
}

}  // namespace gpueval
