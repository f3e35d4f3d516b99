// SPDX-License-Identifier: Apache-2.0
#include "task/detection/average_precision.h"

#include <bit>

#include "core/threads.h"
#include "task/detection/ranked.h"

namespace gpueval {
namespace {

using Ranked = std::span<const RankedDetection>;

std::vector<HitPoint> coco_points(Ranked ranked, int bit) {
  std::vector<HitPoint> points;
  HitPoint now;
  for (const RankedDetection& detection : ranked) {
    if ((detection.judgement.ignored >> bit) & 1) continue;
    ++now.judged;
    if (((detection.judgement.hits >> bit) & 1) == 0) continue;
    ++now.hits;
    points.push_back(now);
  }
  return points;
}

std::vector<HitPoint> voc_points(Ranked ranked) {
  std::vector<HitPoint> points;
  HitPoint now;
  for (const RankedDetection& detection : ranked) {
    if (detection.judgement.voc == VocVerdict::kIgnored) continue;
    ++now.judged;
    if (detection.judgement.voc != VocVerdict::kTrue) continue;
    ++now.hits;
    points.push_back(now);
  }
  return points;
}

// Mean over the IoU thresholds of the recall that the best `most` of each picture reach.
double mean_recall(Ranked ranked, AreaRange range, std::uint32_t most, double truths) {
  const std::uint64_t bits = ((std::uint64_t{1} << kIouThresholds) - 1) << judgement_bit(range, 0);
  std::int64_t hits = 0;
  for (const RankedDetection& detection : ranked) {
    if (detection.place < most) hits += std::popcount(detection.judgement.hits & bits);
  }
  return static_cast<double>(hits) / truths / kIouThresholds;
}

void judge_range(Ranked ranked, AreaRange range, double truths, CocoMetrics& coco) {
  std::array<double, kIouThresholds> ap;
  double sum = 0;
  for (int t = 0; t < kIouThresholds; ++t) {
    sum += ap[static_cast<std::size_t>(t)] = coco_ap(coco_points(ranked, judgement_bit(range, t)), truths);
  }
  coco.ap[static_cast<std::size_t>(range)] = sum / kIouThresholds;
  coco.ar[static_cast<std::size_t>(range)] = mean_recall(ranked, range, kCocoDetections, truths);
  if (range != AreaRange::kAll) return;
  coco.ap50 = ap[0];
  coco.ap75 = ap[5];
  coco.ar1 = mean_recall(ranked, range, 1, truths);
  coco.ar10 = mean_recall(ranked, range, 10, truths);
}

CategoryMetrics judge_category(const CategoryPictures& pictures, Ranked ranked) {
  CategoryMetrics result{pictures.category, std::ssize(ranked), pictures.truth};
  for (int r = 0; r < kAreaRanges; ++r) {
    const auto truths = static_cast<double>(pictures.truth.coco[static_cast<std::size_t>(r)]);
    if (truths > 0) judge_range(ranked, static_cast<AreaRange>(r), truths, result.coco);
  }
  if (pictures.truth.voc > 0) {
    const std::vector<HitPoint> points = voc_points(ranked);
    const auto truths = static_cast<double>(pictures.truth.voc);
    result.voc = {voc07_ap(points, truths), voc10_ap(points, truths)};
  }
  return result;
}

std::int64_t count_ties(Ranked ranked) {
  std::int64_t ties = 0;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    const bool above = i > 0 && ranked[i - 1].score == ranked[i].score;
    const bool below = i + 1 < ranked.size() && ranked[i + 1].score == ranked[i].score;
    ties += above || below ? 1 : 0;
  }
  return ties;
}

template <typename Get>
std::optional<double> mean_over(std::span<const CategoryMetrics> categories, Get get) {
  double sum = 0;
  int count = 0;
  for (const CategoryMetrics& category : categories) {
    const std::optional<double> value = get(category);
    if (!value) continue;
    sum += *value;
    ++count;
  }
  return count == 0 ? std::nullopt : std::optional(sum / count);
}

CocoMetrics mean_coco(std::span<const CategoryMetrics> categories) {
  const auto mean_of = [&](auto member) {
    return mean_over(categories, [&](const CategoryMetrics& category) { return category.coco.*member; });
  };
  CocoMetrics mean{.ap50 = mean_of(&CocoMetrics::ap50),
                   .ap75 = mean_of(&CocoMetrics::ap75),
                   .ar1 = mean_of(&CocoMetrics::ar1),
                   .ar10 = mean_of(&CocoMetrics::ar10)};
  for (std::size_t r = 0; r < kAreaRanges; ++r) {
    mean.ap[r] = mean_over(categories, [&](const CategoryMetrics& category) { return category.coco.ap[r]; });
    mean.ar[r] = mean_over(categories, [&](const CategoryMetrics& category) { return category.coco.ar[r]; });
  }
  return mean;
}

}  // namespace

DetectionMetrics detection_metrics(std::span<const Score> scores) {
  const std::vector<CategoryPictures> categories = pictures_by_category(scores);
  DetectionMetrics result{.images = std::ssize(scores)};
  result.categories.resize(categories.size());
  std::vector<std::int64_t> ties(categories.size());
  parallel_for_dynamic(std::ssize(categories), [&](std::int64_t task) {
    const auto i = static_cast<std::size_t>(task);
    const std::vector<RankedDetection> ranked = ranked_detections(categories[i]);
    result.categories[i] = judge_category(categories[i], ranked);
    ties[i] = count_ties(ranked);
  });
  for (std::size_t i = 0; i < categories.size(); ++i) {
    result.detections += result.categories[i].detections;
    result.truths += categories[i].truth.coco[0];
    result.tied_scores += ties[i];
  }
  result.coco = mean_coco(result.categories);
  result.voc.ap07 = mean_over(result.categories, [](const CategoryMetrics& category) { return category.voc.ap07; });
  result.voc.ap10 = mean_over(result.categories, [](const CategoryMetrics& category) { return category.voc.ap10; });
  return result;
}

std::vector<PrecisionCurve> precision_curves(std::span<const Score> scores) {
  std::vector<PrecisionCurve> curves;
  for (const CategoryPictures& pictures : pictures_by_category(scores)) {
    const auto truths = static_cast<double>(pictures.truth.coco[0]);
    if (truths == 0) continue;
    const std::vector<HitPoint> points = coco_points(ranked_detections(pictures), judgement_bit(AreaRange::kAll, 0));
    curves.push_back({pictures.category, coco_precisions(points, truths)});
  }
  return curves;
}

}  // namespace gpueval
