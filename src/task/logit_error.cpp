// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "gpueval/task.h"
#include "task/class_logits.h"

namespace gpueval {
namespace {

struct Moments {
  double mean = 0, log_sum = 0;  // log(sum(exp(x)))
};

Moments moments(std::span<const float> logits) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0, exponentials = 0;
  for (const float x : logits) {
    sum += x;
    exponentials += std::exp(x - most);
  }
  return {sum / static_cast<double>(logits.size()), most + std::log(exponentials)};
}

bool all_finite(std::span<const float> logits) {
  return std::all_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); });
}

}  // namespace

void LogitError::add(std::span<const float> reference_outputs, std::span<const float> outputs) {
  const ClassLogits of_reference(reference_outputs), own(outputs);
  const std::span<const float> reference = of_reference, logits = own;
  if (!all_finite(reference) || !all_finite(logits)) return;
  const Moments ours = moments(logits), theirs = moments(reference);
  LogitError image{.images = 1};
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double r = reference[i] - theirs.mean, x = logits[i] - ours.mean;
    image.signal += r * r;
    image.noise += (r - x) * (r - x);
    const double log_p = reference[i] - theirs.log_sum, log_q = logits[i] - ours.log_sum;
    image.kl += std::exp(log_p) * (log_p - log_q);
  }
  add(image);
}

void LogitError::add(const LogitError& other) {
  signal += other.signal;
  noise += other.noise;
  kl += other.kl;
  images += other.images;
}

double LogitError::sqnr_db() const {
  if (noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / noise);
}

}  // namespace gpueval
