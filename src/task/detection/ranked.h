// SPDX-License-Identifier: Apache-2.0
// The detections of a category in all pictures, best first.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "task/detection/score.h"

namespace gpueval {

struct RankedDetection {
  double score = 0;
  std::uint32_t picture = 0, place = 0;  // place: among its picture's and category's, 0 the best
  Judgement judgement;
};

// A category's part of a picture.
struct PicturePart {
  std::uint32_t picture = 0;
  CategoryScore part;
};
struct CategoryPictures {
  int category = 0;
  std::vector<PicturePart> pictures;  // in order
  TruthCounts truth;                  // of all

  std::size_t detections() const;
};

// Ascending, those with a truth or a detection. Views of the scores.
std::vector<CategoryPictures> pictures_by_category(std::span<const Score> scores);
// Equal scores in the order of the pictures, in a picture as they were given: as numpy's mergesort orders cocoeval's.
std::vector<RankedDetection> ranked_detections(const CategoryPictures& category);

}  // namespace gpueval
