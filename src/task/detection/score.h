// SPDX-License-Identifier: Apache-2.0
// What is kept of a picture's detections: 1 + 7 (categories + detections) doubles, so 56 bytes for each (50,000
// pictures of 100 detections in 30 categories: 364 MB). The first is 1 where an output held a NaN, else 0. Then, for
// each category with a truth or a detection, ascending:
//   category, detections, truths of COCO in the ranges all, small, medium, large, truths of VOC
//   and for each of its detections, best score first: score, x, y, width, height, hits + 2^40 VocVerdict, ignored
// hits and ignored are 40 bits, one for each area range and IoU threshold (judgement_bit()). Nothing of it depends on
// other pictures.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gpueval/task.h"
#include "gpueval/truth.h"

namespace gpueval {

inline constexpr int kIouThresholds = 10;    // .5, .55 .. .95
inline constexpr int kAreaRanges = 4;        // of AreaRange
inline constexpr int kCocoDetections = 100;  // of a picture and category, the best; COCO ignores the others
inline constexpr int kJudgementBits = kAreaRanges * kIouThresholds;
inline constexpr std::uint64_t kAllIgnored = (std::uint64_t{1} << kJudgementBits) - 1;

enum class AreaRange { kAll, kSmall, kMedium, kLarge };
enum class VocVerdict { kFalse, kTrue, kIgnored };

constexpr int judgement_bit(AreaRange range, int threshold) {
  return static_cast<int>(range) * kIouThresholds + threshold;
}

// What the metrics make of a detection. It is right where it hits, counts nowhere where it is ignored, else it is
// wrong.
struct Judgement {
  std::uint64_t hits = 0, ignored = 0;
  VocVerdict voc = VocVerdict::kFalse;
};

// Boxes that count: of COCO neither crowd nor outside the area range, of VOC neither difficult nor crowd.
struct TruthCounts {
  std::array<std::int64_t, kAreaRanges> coco{};
  std::int64_t voc = 0;
  bool operator==(const TruthCounts&) const = default;
};

// A category's part of a picture's score: a view of it.
class CategoryScore {
 public:
  static constexpr std::size_t kStride = 7;  // numbers a detection, and before the first

  explicit CategoryScore(const double* head) : head_(head) {}
  int category() const { return static_cast<int>(head_[0]); }
  std::size_t detections() const { return static_cast<std::size_t>(head_[1]); }
  TruthCounts truth() const;
  double score(std::size_t i) const { return numbers(i)[0]; }
  Box box(std::size_t i) const;
  Judgement judgement(std::size_t i) const;

 private:
  const double* numbers(std::size_t i) const { return head_ + (i + 1) * kStride; }
  const double* head_;
};

void append_category(Score& score, int category, const TruthCounts& truth, std::size_t detections);
void append_detection(Score& score, const Detection& detection, const Judgement& judgement);

bool had_nan(const Score& score);
std::vector<CategoryScore> categories_of(const Score& score);
// By category, then best score first; equal scores as they were given.
std::vector<Detection> detections_of(const Score& score);

// Whether detection_score() of a data set of so many categories can have given it; nothing is taken for granted.
bool possible_detection_score(const Score& score, int categories);
// Whether it gives exactly this for these truths, by judging the score's detections again.
bool possible_detection_score(const Score& score, int categories, std::span<const TruthBox> truth);

}  // namespace gpueval
