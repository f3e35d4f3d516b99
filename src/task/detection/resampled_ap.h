// SPDX-License-Identifier: Apache-2.0
// COCO's AP of pictures drawn with repetition: detections are sorted once, 8 bytes each, and count as often as their
// picture. That is AP of the list in which each picture is repeated, but for the order of equal scores: here a
// detection's copies follow each other, there those of the picture's other detections with this score come between.
#pragma once

#include <span>
#include <vector>

#include "task/bootstrap.h"
#include "task/detection/ranked.h"

namespace gpueval {

class ResampledAp : public ResampledMetric {
 public:
  explicit ResampledAp(std::span<const Score> scores);

  std::size_t pictures() const override { return pictures_; }
  std::optional<double> value(PictureCounts counts) const override;
  double nanoseconds() const override { return nanoseconds_; }

  // Of each picture once: detection_metrics().coco.ap of all areas.
  std::optional<double> value() const;

 private:
  struct Rank {
    std::uint32_t picture = 0;
    std::uint16_t hits = 0, ignored = 0;  // by IoU threshold
  };
  struct PictureTruths {
    std::uint32_t picture = 0, count = 0;
  };
  struct Category {
    std::vector<Rank> ranks;  // without those that count nowhere
    std::vector<PictureTruths> truths;
  };
  struct Scratch;

  static Category category_of(const CategoryPictures& pictures);
  static double category_ap(const Category& category, PictureCounts counts, double truths, Scratch& scratch);

  std::size_t pictures_ = 0;
  double nanoseconds_ = 0;
  std::vector<Category> categories_;
};

}  // namespace gpueval
