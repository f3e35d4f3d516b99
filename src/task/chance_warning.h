// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace gpueval {

// The network is (nearly) guessing: its top-1 is not significantly above 2% of the way from chance to perfect, and
// significantly below 25% of it (one-sided exact binomial tests at 1% each; so 16 or more images are needed of 1,000
// classes). Or the ids count from 1: significantly more predictions are the label - 1 than the label. Names the usual
// causes.
struct LabelCheck {
  std::string row;  // "float32"
  std::int64_t images = 0, top1 = 0;
  std::int64_t one_below = 0;  // predictions that are the label - 1
  int classes = 0;
};
std::optional<std::string> chance_warning(const LabelCheck& check);

}  // namespace gpueval
