// SPDX-License-Identifier: Apache-2.0
// How far the scales of a tensor's channels may follow what a few images showed of each: decided on images that did not
// choose them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "quant/recipe/clip_search.h"

namespace gpueval {

// The steps with the least errors; of a channel that was silent the first.
struct BestSteps {
  int tensor = 0;
  std::vector<int> channel;
};
BestSteps best_steps(const StepErrors& errors);
StepErrors sum_of(const std::vector<StepErrors>& folds,
                  std::size_t but);  // but: a fold to leave out; folds.size(): none

// A channel's step is its tensor's plus exponent * (its best - its tensor's), where its best counts as at most
// `most_steps` further down. Exponent 0: one scale for all.
struct Equalisation {
  double exponent = 0;
  int most_steps = 0;
  bool operator==(const Equalisation&) const = default;
};
int step_of(const BestSteps& best, std::size_t channel, const Equalisation& equalisation);

// Of those with an exponent of at most `most_exponent` the one with the least error, each fold clipped as the others
// choose. importance: of a channel's squared error. One scale for all where nothing is better, or there is one fold.
Equalisation choose_equalisation(const std::vector<StepErrors>& folds, std::span<const double> importance,
                                 double most_exponent);

}  // namespace gpueval
