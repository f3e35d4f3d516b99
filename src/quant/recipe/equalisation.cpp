// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/equalisation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

namespace gpueval {
namespace {

constexpr std::array kExponents = {0.25, 0.5, 0.75, 1.0};
constexpr int kStride = kStepsAnOctave / 2;  // of most_steps

std::vector<Equalisation> candidates(double most_exponent) {
  std::vector<Equalisation> all = {{}};
  for (const double exponent : kExponents) {
    for (int steps = kStride; steps < kClipSteps && exponent <= most_exponent; steps += kStride)
      all.push_back({exponent, steps});
  }
  return all;
}

double error_of(const StepErrors& errors, std::span<const double> importance, const BestSteps& best,
                const Equalisation& equalisation) {
  double sum = 0;
  for (std::size_t c = 0; c < importance.size(); ++c)
    sum += importance[c] * errors[static_cast<std::size_t>(step_of(best, c, equalisation))][c];
  return sum;
}

}  // namespace

StepErrors sum_of(const std::vector<StepErrors>& folds, std::size_t but) {
  StepErrors sum(folds[0].size(), std::vector<double>(folds[0][0].size(), 0.0));
  for (std::size_t f = 0; f < folds.size(); ++f) {
    for (std::size_t step = 0; step < sum.size() && f != but; ++step)
      std::transform(sum[step].begin(), sum[step].end(), folds[f][step].begin(), sum[step].begin(), std::plus<>());
  }
  return sum;
}

BestSteps best_steps(const StepErrors& errors) {
  const std::size_t channels = errors[0].size();
  BestSteps best{.channel = std::vector<int>(channels, 0)};
  double least = INFINITY;
  for (int step = 0; step < static_cast<int>(errors.size()); ++step) {
    const std::vector<double>& own = errors[static_cast<std::size_t>(step)];
    double sum = 0;
    for (std::size_t c = 0; c < channels; ++c) {
      sum += own[c];
      if (own[c] < errors[static_cast<std::size_t>(best.channel[c])][c]) best.channel[c] = step;
    }
    if (sum < least) best.tensor = step;
    least = std::min(least, sum);
  }
  return best;
}

int step_of(const BestSteps& best, std::size_t channel, const Equalisation& equalisation) {
  const int distance = std::min(best.channel[channel] - best.tensor, equalisation.most_steps);
  return best.tensor + static_cast<int>(std::lround(equalisation.exponent * distance));
}

Equalisation choose_equalisation(const std::vector<StepErrors>& folds, std::span<const double> importance,
                                 double most_exponent) {
  if (folds.size() < 2) return {};
  const std::vector<Equalisation> all = candidates(most_exponent);
  std::vector<double> error(all.size(), 0.0);
  for (std::size_t f = 0; f < folds.size(); ++f) {
    const BestSteps best = best_steps(sum_of(folds, f));
    for (std::size_t i = 0; i < all.size(); ++i) error[i] += error_of(folds[f], importance, best, all[i]);
  }
  return all[static_cast<std::size_t>(std::min_element(error.begin(), error.end()) - error.begin())];
}

}  // namespace gpueval
