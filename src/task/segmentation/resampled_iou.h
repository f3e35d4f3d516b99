// SPDX-License-Identifier: Apache-2.0
// Mean IoU of pictures drawn with repetition: that of the list in which each picture is repeated.
#pragma once

#include <span>
#include <vector>

#include "task/bootstrap.h"
#include "task/segmentation/mean_iou.h"

namespace gpueval {

class ResampledIou : public ResampledMetric {
 public:
  explicit ResampledIou(std::span<const Score> scores);

  std::size_t pictures() const override { return starts_.size() - 1; }
  std::optional<double> value(PictureCounts counts) const override;
  double nanoseconds() const override;

 private:
  struct PictureClass {
    std::size_t place = 0;  // of the class
    ClassOverlap overlap;
  };
  std::size_t classes_ = 0;
  std::vector<PictureClass> overlaps_;  // of each picture, those that occur in it
  std::vector<std::size_t> starts_{0};  // of each picture's, and the end
};

}  // namespace gpueval
