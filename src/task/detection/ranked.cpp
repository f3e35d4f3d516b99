// SPDX-License-Identifier: Apache-2.0
#include "task/detection/ranked.h"

#include <algorithm>
#include <map>

namespace gpueval {

std::size_t CategoryPictures::detections() const {
  std::size_t count = 0;
  for (const PicturePart& picture : pictures) count += picture.part.detections();
  return count;
}

std::vector<CategoryPictures> pictures_by_category(std::span<const Score> scores) {
  std::map<int, CategoryPictures> found;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (const CategoryScore& part : categories_of(scores[i])) {
      CategoryPictures& category = found[part.category()];
      category.category = part.category();
      const TruthCounts truth = part.truth();
      category.pictures.push_back({static_cast<std::uint32_t>(i), part});
      for (std::size_t r = 0; r < kAreaRanges; ++r) category.truth.coco[r] += truth.coco[r];
      category.truth.voc += truth.voc;
    }
  }
  std::vector<CategoryPictures> result;
  for (auto& entry : found) result.push_back(std::move(entry.second));
  return result;
}

std::vector<RankedDetection> ranked_detections(const CategoryPictures& category) {
  std::vector<RankedDetection> result;
  result.reserve(category.detections());
  for (const PicturePart& picture : category.pictures) {
    for (std::size_t i = 0; i < picture.part.detections(); ++i) {
      result.push_back(
          {picture.part.score(i), picture.picture, static_cast<std::uint32_t>(i), picture.part.judgement(i)});
    }
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const RankedDetection& a, const RankedDetection& b) { return a.score > b.score; });
  return result;
}

}  // namespace gpueval
