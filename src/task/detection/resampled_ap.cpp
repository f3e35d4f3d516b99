// SPDX-License-Identifier: Apache-2.0
#include "task/detection/resampled_ap.h"

#include <array>
#include <bit>

#include "core/threads.h"
#include "task/detection/precision.h"

namespace gpueval {
namespace {

constexpr std::uint64_t kThresholdBits = (1 << kIouThresholds) - 1;
static_assert(judgement_bit(AreaRange::kAll, 0) == 0, "the bits of all areas are the lowest");

template <typename Fn>
void for_each_bit(std::uint32_t bits, Fn fn) {
  for (; bits != 0; bits &= bits - 1) fn(static_cast<std::size_t>(std::countr_zero(bits)));
}

}  // namespace

// By IoU threshold.
struct ResampledAp::Scratch {
  std::array<std::vector<HitPoint>, kIouThresholds> points;
  std::array<std::int64_t, kIouThresholds> hits, ignored;
};

ResampledAp::Category ResampledAp::category_of(const CategoryPictures& pictures) {
  Category category;
  for (const PicturePart& picture : pictures.pictures) {
    if (picture.part.truth().coco[0] == 0) continue;
    category.truths.push_back({picture.picture, static_cast<std::uint32_t>(picture.part.truth().coco[0])});
  }
  if (category.truths.empty()) return category;
  for (const RankedDetection& detection : ranked_detections(pictures)) {
    const auto ignored = static_cast<std::uint16_t>(detection.judgement.ignored & kThresholdBits);
    if (ignored == kThresholdBits) continue;
    category.ranks.push_back(
        {detection.picture, static_cast<std::uint16_t>(detection.judgement.hits & kThresholdBits), ignored});
  }
  return category;
}

ResampledAp::ResampledAp(std::span<const Score> scores) : pictures_(scores.size()) {
  const std::vector<CategoryPictures> categories = pictures_by_category(scores);
  categories_.resize(categories.size());
  parallel_for_dynamic(std::ssize(categories), [&](std::int64_t task) {
    const auto i = static_cast<std::size_t>(task);
    categories_[i] = category_of(categories[i]);
  });
  nanoseconds_ = 10 * static_cast<double>(pictures_);
  for (const Category& category : categories_) {
    std::int64_t hits = 0;
    for (const Rank& rank : category.ranks) hits += std::popcount(rank.hits);
    nanoseconds_ += 2 * static_cast<double>(category.ranks.size()) + 8 * static_cast<double>(hits) + 2000;
  }
}

double ResampledAp::category_ap(const Category& category, PictureCounts counts, double truths, Scratch& scratch) {
  for (auto& points : scratch.points) points.clear();
  scratch.hits = scratch.ignored = {};
  std::int64_t all = 0;
  for (const Rank& rank : category.ranks) {
    const std::int64_t count = counts[rank.picture];
    all += count;
    if (count == 0 || (rank.hits | rank.ignored) == 0) continue;
    for_each_bit(rank.ignored, [&](std::size_t t) { scratch.ignored[t] += count; });
    for_each_bit(rank.hits, [&](std::size_t t) {
      scratch.hits[t] += count;
      scratch.points[t].push_back(
          {static_cast<double>(scratch.hits[t]), static_cast<double>(all - scratch.ignored[t])});
    });
  }
  double sum = 0;
  for (const auto& points : scratch.points) sum += coco_ap(points, truths);
  return sum / kIouThresholds;
}

std::optional<double> ResampledAp::value(PictureCounts counts) const {
  Scratch scratch;
  double sum = 0;
  int present = 0;
  for (const Category& category : categories_) {
    std::int64_t truths = 0;
    for (const PictureTruths& truth : category.truths) truths += std::int64_t{truth.count} * counts[truth.picture];
    if (truths == 0) continue;
    sum += category_ap(category, counts, static_cast<double>(truths), scratch);
    ++present;
  }
  return present == 0 ? std::nullopt : std::optional(sum / present);
}

std::optional<double> ResampledAp::value() const { return value(std::vector<std::uint32_t>(pictures_, 1)); }

}  // namespace gpueval
