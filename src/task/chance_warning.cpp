// SPDX-License-Identifier: Apache-2.0
#include "task/chance_warning.h"

#include <fmt/format.h>

#include "task/statistics.h"

namespace gpueval {

std::optional<std::string> chance_warning(const LabelCheck& check) {
  constexpr double kGuessing = 0.02, kPlausible = 0.25, kLevel = 0.01;
  constexpr int kLeastClasses = 5;  // of fewer, the class below is too often the wrong one that was guessed
  if (check.classes < 2 || check.images == 0) return std::nullopt;
  const double chance = 1.0 / check.classes;
  const double guessing = chance + kGuessing * (1 - chance), plausible = chance + kPlausible * (1 - chance);
  const auto implausible = [&](std::int64_t top1) { return binomial_at_most(top1, check.images, plausible) < kLevel; };
  const bool above_guessing = 1 - binomial_at_most(check.top1 - 1, check.images, guessing) < kLevel;
  const bool shifted = check.classes >= kLeastClasses && check.one_below > check.top1 &&
                       !implausible(check.one_below) && mcnemar_exact(check.one_below, check.top1) < kLevel;
  if ((above_guessing || !implausible(check.top1)) && !shifted) return std::nullopt;
  const double images = static_cast<double>(check.images);
  std::string text = fmt::format("{} has top-1 {:.2f}% on {} images of {} classes, ", check.row,
                                 100 * static_cast<double>(check.top1) / images, check.images, check.classes);
  if (shifted) {
    return text +
           fmt::format(
               "but it would be {:.2f}% if every class id were one lower: the labels seem to count from 1, where "
               "Keras counts from 0.",
               100 * static_cast<double>(check.one_below) / images);
  }
  return text +
         "hardly better than guessing, so no number of accuracy here means anything. Usual causes: labels of another "
         "order of classes (the ids of the ILSVRC2012 devkit count from 1 and follow another order than Keras's), red "
         "and blue exchanged, or another preprocessing than the network was trained with.";
}

}  // namespace gpueval
