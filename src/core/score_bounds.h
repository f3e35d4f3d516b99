// SPDX-License-Identifier: Apache-2.0
// What a logit must be above for its probability to pass a threshold: a little too low, so that rounding leaves none
// out and only what passes is computed. Scores are compared with the threshold as a float.
#pragma once

#include <cmath>
#include <limits>

namespace gpueval {

inline constexpr float kBoundMargin = 1e-3f;  // far above the rounding of a float logarithm

// Of a class by itself, or the best one's distance to another of its softmax.
inline float logit_bound(double threshold) {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  const double compared = static_cast<float>(threshold);
  if (compared <= 0) return -kInfinite;
  if (compared >= 1) return kInfinite;
  return static_cast<float>(std::log(compared / (1 - compared))) - kBoundMargin;
}

// A class's distance to the greatest logit of its softmax.
inline float log_bound(double threshold) {
  const double compared = static_cast<float>(threshold);
  if (compared <= 0) return -std::numeric_limits<float>::infinity();
  return static_cast<float>(std::log(compared)) - kBoundMargin;
}

}  // namespace gpueval
