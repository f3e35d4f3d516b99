// SPDX-License-Identifier: Apache-2.0
// Scores of detections that come from a file.
#include <algorithm>
#include <cmath>

#include "task/detection/matching.h"
#include "task/detection/score.h"

namespace gpueval {
namespace {

constexpr double kMostBoxes = 1e6;  // of a picture

bool whole_below(double value, double limit) { return value >= 0 && value < limit && value == std::floor(value); }

bool possible_head(std::span<const double> head, double categories) {
  if (!whole_below(head[0], categories)) return false;
  if (!std::all_of(head.begin() + 1, head.end(), [](double count) { return whole_below(count, kMostBoxes); })) {
    return false;
  }
  // No range has more truths than all of them.
  return std::max({head[3], head[4], head[5]}) <= head[2];
}

bool possible_detection(std::span<const double> numbers) {
  if (!(numbers[0] >= 0 && numbers[0] <= 1)) return false;
  if (!std::all_of(numbers.begin() + 1, numbers.begin() + 5, [](double edge) { return std::isfinite(edge); })) {
    return false;
  }
  return whole_below(numbers[5], 3 * std::ldexp(1.0, kJudgementBits)) &&
         whole_below(numbers[6], std::ldexp(1.0, kJudgementBits));
}

// As many hits as truths at most, and none that is ignored.
bool possible_hits(const CategoryScore& part) {
  std::array<std::int64_t, kJudgementBits> hits{};
  const TruthCounts truth = part.truth();
  std::int64_t voc = 0;
  for (std::size_t i = 0; i < part.detections(); ++i) {
    const Judgement judgement = part.judgement(i);
    if ((judgement.hits & judgement.ignored) != 0) return false;
    if (i >= kCocoDetections && judgement.ignored != kAllIgnored) return false;
    for (std::size_t bit = 0; bit < kJudgementBits; ++bit) hits[bit] += (judgement.hits >> bit) & 1;
    voc += judgement.voc == VocVerdict::kTrue ? 1 : 0;
  }
  for (std::size_t bit = 0; bit < kJudgementBits; ++bit) {
    if (hits[bit] > truth.coco[bit / kIouThresholds]) return false;
  }
  return voc <= truth.voc;
}

// The numbers that categories_of() and judgement() turn into integers.
bool well_formed(const Score& score, int categories) {
  constexpr std::size_t kStride = CategoryScore::kStride;
  const std::span<const double> numbers(score);
  if (numbers.size() % kStride != 1 || !whole_below(numbers[0], 2)) return false;
  double last_category = -1;
  for (std::size_t at = 1; at < numbers.size();) {
    const auto head = numbers.subspan(at, kStride);
    if (!possible_head(head, categories) || head[0] <= last_category) return false;
    last_category = head[0];
    at += kStride;
    const auto detections = static_cast<std::size_t>(head[1]);
    if (detections > (numbers.size() - at) / kStride) return false;
    double last_score = 1;
    for (std::size_t i = 0; i < detections; ++i, at += kStride) {
      if (!possible_detection(numbers.subspan(at, kStride)) || numbers[at] > last_score) return false;
      last_score = numbers[at];
    }
  }
  return true;
}

}  // namespace

bool possible_detection_score(const Score& score, int categories) {
  if (!well_formed(score, categories)) return false;
  const std::vector<CategoryScore> parts = categories_of(score);
  return std::all_of(parts.begin(), parts.end(), possible_hits);
}

bool possible_detection_score(const Score& score, int categories, std::span<const TruthBox> truth) {
  return well_formed(score, categories) && detection_score(detections_of(score), truth, had_nan(score)) == score;
}

}  // namespace gpueval
