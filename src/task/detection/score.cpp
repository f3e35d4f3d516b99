// SPDX-License-Identifier: Apache-2.0
#include "task/detection/score.h"

#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr std::uint64_t kVocUnit = std::uint64_t{1} << kJudgementBits;

}  // namespace

TruthCounts CategoryScore::truth() const {
  TruthCounts counts;
  for (std::size_t r = 0; r < kAreaRanges; ++r) counts.coco[r] = static_cast<std::int64_t>(head_[2 + r]);
  counts.voc = static_cast<std::int64_t>(head_[2 + kAreaRanges]);
  return counts;
}

Box CategoryScore::box(std::size_t i) const {
  const double* const n = numbers(i);
  return {n[1], n[2], n[3], n[4]};
}

Judgement CategoryScore::judgement(std::size_t i) const {
  const double* const n = numbers(i);
  const auto hits = static_cast<std::uint64_t>(n[5]);
  return {hits % kVocUnit, static_cast<std::uint64_t>(n[6]), static_cast<VocVerdict>(hits / kVocUnit)};
}

void append_category(Score& score, int category, const TruthCounts& truth, std::size_t detections) {
  score.insert(score.end(), {static_cast<double>(category), static_cast<double>(detections)});
  for (const std::int64_t count : truth.coco) score.push_back(static_cast<double>(count));
  score.push_back(static_cast<double>(truth.voc));
}

void append_detection(Score& score, const Detection& detection, const Judgement& judgement) {
  const Box& box = detection.box;
  const std::uint64_t hits = judgement.hits + static_cast<std::uint64_t>(judgement.voc) * kVocUnit;
  score.insert(score.end(), {detection.score, box.x, box.y, box.width, box.height, static_cast<double>(hits),
                             static_cast<double>(judgement.ignored)});
}

bool had_nan(const Score& score) { return !score.empty() && score[0] == 1; }

std::vector<CategoryScore> categories_of(const Score& score) {
  std::vector<CategoryScore> result;
  for (std::size_t at = 1; at < score.size();) {
    GPUEVAL_CHECK(score.size() - at >= CategoryScore::kStride, "{} numbers are no score of detections", score.size());
    result.emplace_back(&score[at]);
    const std::size_t parts = (score.size() - at) / CategoryScore::kStride;
    GPUEVAL_CHECK(result.back().detections() < parts, "{} numbers are no score of detections", score.size());
    at += (result.back().detections() + 1) * CategoryScore::kStride;
  }
  return result;
}

std::vector<Detection> detections_of(const Score& score) {
  std::vector<Detection> result;
  result.reserve(score.size() / CategoryScore::kStride);
  for (const CategoryScore& part : categories_of(score)) {
    for (std::size_t i = 0; i < part.detections(); ++i) result.push_back({part.category(), part.score(i), part.box(i)});
  }
  return result;
}

}  // namespace gpueval
