// SPDX-License-Identifier: Apache-2.0
#include "reference/detector.h"

#include <algorithm>
#include <cstdint>

namespace gpueval::reference {
namespace {

double exponential_below(float logit, float most) {
  return detector::double_exponential(static_cast<double>(logit) - static_cast<double>(most));
}

float softmax(std::span<const float> logits, std::size_t channel) {
  const float most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += exponential_below(logit, most);
  return static_cast<float>(exponential_below(logits[channel], most) / sum);
}

}  // namespace

std::vector<float> passing_scores(const Priors& priors, std::span<const float> scores) {
  const auto channels = static_cast<std::size_t>(priors.score_channels());
  const std::size_t first = priors.background == Background::kFirst ? 1 : 0;
  std::vector<float> passing;
  for (std::size_t c = 0; c < priors.classes.size(); ++c) {
    for (std::size_t i = 0; i < priors.boxes.size(); ++i) {
      const std::span<const float> values = scores.subspan(i * channels, channels);
      float score = values[first + c];
      if (priors.scores == ScoreForm::kSigmoid) score = detector::logit_to_probability(score);
      if (priors.scores == ScoreForm::kSoftmax) score = softmax(values, first + c);
      passing.push_back(score > static_cast<float>(priors.score_threshold) ? score : 0.0f);
    }
  }
  return passing;
}

std::vector<std::size_t> best_places(std::span<const float> values, std::size_t most) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] > 0) places.push_back(i);
  }
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  places.resize(std::min(places.size(), most));
  return places;
}

std::vector<bool> staying(std::span<const detector::Edges> boxes, float threshold) {
  std::vector<bool> stays(boxes.size(), true);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for (std::size_t j = 0; j < i && stays[i]; ++j) {
      if (stays[j] &&
          detector::overlap(boxes[j], detector::area_of(boxes[j]), boxes[i], detector::area_of(boxes[i]), threshold))
        stays[i] = false;
    }
  }
  return stays;
}

}  // namespace gpueval::reference
