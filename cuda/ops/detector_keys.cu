// SPDX-License-Identifier: Apache-2.0
// Scores of a detector as keys, one thread a prior. A prior's scores lie side by side, a class's keys do: reads of a
// warp share cache lines, writes are of whole ones. Exponentials are taken only of priors, and then of classes, that
// may pass; the sum of a prior's is in the host's order.
#include "cuda/ops/detector_math.h"
#include "cuda/ops/device_ops.h"
#include "cuda/ops/integer_view.h"

namespace gpueval::GPUEVAL_TARGET {
namespace {

struct KeyParams {
  DetectorPlan plan;
  const float* scores;
  ScoreKey* keys;
  unsigned threads;
};

GPUEVAL_DEVICE ScoreKey key_of(const DetectorPlan& plan, float score) {
  return score > plan.score_threshold ? static_cast<ScoreKey>(float_bits(score)) : 0u;
}

// The probabilities of one prior's classes.
struct Softmax {
  const float* logits;
  float most;
  double sum;
  bool none;  // even the best class cannot pass

  GPUEVAL_DEVICE Softmax(const DetectorPlan& plan, const float* values, int first) : logits(values), sum(0) {
    most = values[first];
    for (int c = 1; c < plan.classes; ++c) most = values[first + c] > most ? values[first + c] : most;
    none = false;
    if (plan.background != Background::kNone) {
      const float background = values[plan.background == Background::kFirst ? 0 : plan.channels - 1];
      none = !(most - background > plan.logit_threshold);
      most = background > most ? background : most;
    }
    if (none) return;
    for (int k = 0; k < plan.channels; ++k) sum += term(k);
  }
  GPUEVAL_DEVICE double term(int k) const {
    return double_exponential(static_cast<double>(logits[k]) - static_cast<double>(most));
  }
  // The sum is 1 or more, so that no score is above its exponential.
  GPUEVAL_DEVICE ScoreKey key(const DetectorPlan& plan, int k) const {
    if (none || logits[k] - most < plan.log_threshold) return 0u;
    return key_of(plan, static_cast<float>(term(k) / sum));
  }
};

GPUEVAL_KERNEL(kOpThreads)
detector_keys_kernel(const KeyParams p) {
  const unsigned thread = op_thread();
  if (thread >= p.threads) return;
  const DetectorPlan& plan = p.plan;
  const auto priors = static_cast<unsigned>(plan.priors);
  const unsigned image = thread / priors, prior = thread % priors;
  const float* values = p.scores + static_cast<std::int64_t>(thread) * plan.channels;
  ScoreKey* keys = p.keys + static_cast<std::int64_t>(image) * plan.classes * plan.priors + prior;
  const int first = plan.background == Background::kFirst ? 1 : 0;
  if (plan.scores == ScoreForm::kSoftmax) {
    const Softmax softmax(plan, values, first);
    for (int c = 0; c < plan.classes; ++c)
      keys[static_cast<std::int64_t>(c) * plan.priors] = softmax.key(plan, first + c);
    return;
  }
  const bool logits = plan.scores == ScoreForm::kSigmoid;
  for (int c = 0; c < plan.classes; ++c) {
    const float value = values[first + c];
    ScoreKey key = 0;
    if (!logits) key = key_of(plan, value);
    if (logits && value > plan.logit_threshold) key = key_of(plan, logit_to_probability(value));
    keys[static_cast<std::int64_t>(c) * plan.priors] = key;
  }
}

}  // namespace

void detector_keys(const DetectorPlan& plan, const float* scores, ScoreKey* keys, Stream stream) {
  constexpr const char* kName = "detector_keys";
  const std::int64_t threads = std::int64_t{plan.images} * plan.priors;
  const Grid grid = op_grid(kName, threads);
  const KeyParams params{.plan = plan, .scores = scores, .keys = keys, .threads = static_cast<unsigned>(threads)};
  launch(stream, kName, grid, kOpThreads, 0, detector_keys_kernel, params);
}

}  // namespace gpueval::GPUEVAL_TARGET
