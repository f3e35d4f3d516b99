// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace gpueval {

// The five largest logits' classes, largest first; of equal logits the lower class first. Fewer than five classes: the
// rest is -1. Any NaN: all -1 (no class is right). A single logit is that of class 1 of two: ClassLogits.
struct Ranking {
  std::array<std::int32_t, 5> classes{-1, -1, -1, -1, -1};
  bool has_nan = false;

  int place(int label) const;  // from 1; 0: it is none of the five
};
Ranking rank_classes(std::span<const float> logits);

// exp(x - max) / sum, in double; of a single logit 1 - sigmoid and sigmoid.
std::vector<double> softmax(std::span<const float> logits);

}  // namespace gpueval
