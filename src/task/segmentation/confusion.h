// SPDX-License-Identifier: Apache-2.0
// Which classes the pixels of a picture have and get. What is kept of one: 1 where an output held a NaN, else 0; the
// number of classes; then, ascending and only where pixels are, 256 truth + predicted and their number. Pixels whose
// truth is void are left out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpueval/task.h"
#include "gpueval/truth.h"

namespace gpueval {

// predicted: a class a pixel, as truth has them; LabelMap::kVoid is no class (of a NaN), which is wrong everywhere.
// 1 <= classes <= 255. An Error where a class is none of them.
Score confusion_score(const LabelMap& truth, std::span<const std::uint8_t> predicted, int classes, bool nan = false);
// For a score that was made before the number of classes was known, of 255: none of its classes is one beyond.
void set_confusion_classes(Score& score, int classes);

// Whether confusion_score() of so many classes can have given it; nothing is taken for granted.
bool possible_confusion_score(const Score& score, int classes);
// And for this truth: as many pixels of each class.
bool possible_confusion_score(const Score& score, int classes, const LabelMap& truth);

// Pixels of one picture by truth and answer.
struct ConfusionCell {
  int truth = 0, predicted = 0;  // predicted: LabelMap::kVoid for none
  std::int64_t pixels = 0;
};
std::vector<ConfusionCell> confusion_cells(const Score& score);
bool confusion_had_nan(const Score& score);

}  // namespace gpueval
