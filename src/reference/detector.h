// SPDX-License-Identifier: Apache-2.0
// A detector's boxes step by step, as plain loops without bounds and shortcuts (gpueval/priors.h says what they are).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "gpueval/priors.h"
#include "task/detection/arithmetic.h"

namespace gpueval::reference {

// scores: priors x score_channels(), of one image. Class by class, each prior's probability where it is above the
// score threshold, else 0.
std::vector<float> passing_scores(const Priors& priors, std::span<const float> scores);

// Places of the greatest values above 0, at most `most`: by descending value, equal ones in their order.
std::vector<std::size_t> best_places(std::span<const float> values, std::size_t most);

// boxes: by descending score. Which stay: that overlap none before them that stays by more than the IoU `threshold`.
std::vector<bool> staying(std::span<const detector::Edges> boxes, float threshold);

}  // namespace gpueval::reference
