// SPDX-License-Identifier: Apache-2.0
#include "task/ranking.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "task/class_logits.h"

namespace gpueval {

int Ranking::place(int label) const {
  const auto found = std::find(classes.begin(), classes.end(), label);
  return label < 0 || found == classes.end() ? 0 : static_cast<int>(found - classes.begin()) + 1;
}

Ranking rank_classes(std::span<const float> outputs) {
  const ClassLogits two(outputs);
  const std::span<const float> logits = two;
  Ranking ranking;
  std::size_t found = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const float value = logits[i];
    if (std::isnan(value)) {
      ranking.classes.fill(-1);
      ranking.has_nan = true;
      return ranking;
    }
    const auto logit_at = [&](std::size_t place) { return logits[static_cast<std::size_t>(ranking.classes[place])]; };
    if (found == ranking.classes.size() && !(value > logit_at(found - 1))) continue;
    std::size_t place = found < ranking.classes.size() ? found++ : found - 1;
    for (; place > 0 && value > logit_at(place - 1); --place) ranking.classes[place] = ranking.classes[place - 1];
    ranking.classes[place] = static_cast<std::int32_t>(i);
  }
  return ranking;
}

std::vector<double> softmax(std::span<const float> outputs) {
  const ClassLogits two(outputs);
  const std::span<const float> logits = two;
  std::vector<double> result(logits.begin(), logits.end());
  if (result.empty()) return result;
  const double largest = *std::max_element(result.begin(), result.end());
  double sum = 0;
  for (double& value : result) sum += value = std::exp(value - largest);
  for (double& value : result) value /= sum;
  return result;
}

}  // namespace gpueval
