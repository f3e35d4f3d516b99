// SPDX-License-Identifier: Apache-2.0
#include "task/segmentation/confusion.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr int kCellUnit = 256;
constexpr double kMostPixels = 4294967296.0;  // of a picture

bool whole_number(double value, double least, double limit) {
  return value >= least && value < limit && value == std::floor(value);
}

void check_classes(const LabelMap& truth, std::span<const std::uint8_t> predicted, int classes) {
  GPUEVAL_CHECK(classes >= 1 && classes <= LabelMap::kVoid, "{} classes", classes);
  GPUEVAL_CHECK(predicted.size() == truth.classes.size(), "{} pixels, but {} have a truth", predicted.size(),
                truth.classes.size());
}

}  // namespace

Score confusion_score(const LabelMap& truth, std::span<const std::uint8_t> predicted, int classes, bool nan) {
  check_classes(truth, predicted, classes);
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes * kCellUnit));
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const int is = truth.classes[i], said = predicted[i];
    if (is == LabelMap::kVoid) continue;
    GPUEVAL_CHECK(is < classes && (said < classes || said == LabelMap::kVoid), "pixel {} is {}, predicted {} of {}", i,
                  is, said, classes);
    ++counts[static_cast<std::size_t>(is * kCellUnit + said)];
  }
  Score score{nan ? 1.0 : 0.0, static_cast<double>(classes)};
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    if (counts[cell] > 0) score.insert(score.end(), {static_cast<double>(cell), static_cast<double>(counts[cell])});
  }
  return score;
}

void set_confusion_classes(Score& score, int classes) {
  score.at(1) = classes;
  GPUEVAL_CHECK(possible_confusion_score(score, classes), "a class is none of {}", classes);
}

bool possible_confusion_score(const Score& score, int classes) {
  if (score.size() < 2 || score.size() % 2 != 0 || !whole_number(score[0], 0, 2) || score[1] != classes) return false;
  double last = -1;
  for (std::size_t i = 2; i < score.size(); i += 2) {
    if (!whole_number(score[i], last + 1, static_cast<double>(classes) * kCellUnit)) return false;
    const int predicted = static_cast<int>(score[i]) % kCellUnit;
    if (predicted >= classes && predicted != LabelMap::kVoid) return false;
    if (!whole_number(score[i + 1], 1, kMostPixels)) return false;
    last = score[i];
  }
  return true;
}

bool possible_confusion_score(const Score& score, int classes, const LabelMap& truth) {
  if (!possible_confusion_score(score, classes)) return false;
  std::array<std::int64_t, kCellUnit> left{};
  for (const std::uint8_t is : truth.classes) ++left[is];
  left[LabelMap::kVoid] = 0;
  for (const ConfusionCell& cell : confusion_cells(score)) left[static_cast<std::size_t>(cell.truth)] -= cell.pixels;
  return std::all_of(left.begin(), left.end(), [](std::int64_t pixels) { return pixels == 0; });
}

std::vector<ConfusionCell> confusion_cells(const Score& score) {
  GPUEVAL_CHECK(score.size() >= 2 && score.size() % 2 == 0, "{} numbers are no score of a segmentation", score.size());
  std::vector<ConfusionCell> cells;
  for (std::size_t i = 2; i < score.size(); i += 2) {
    const int cell = static_cast<int>(score[i]);
    cells.push_back({cell / kCellUnit, cell % kCellUnit, static_cast<std::int64_t>(score[i + 1])});
  }
  return cells;
}

bool confusion_had_nan(const Score& score) { return !score.empty() && score[0] == 1; }

}  // namespace gpueval
