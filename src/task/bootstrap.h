// SPDX-License-Identifier: Apache-2.0
// How far a metric that is no mean over pictures might be off: the metric of pictures drawn anew from the same ones, as
// many as there are, with repetition (Efron 1979). A row is compared with another one on the same draws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gpueval/error.h"
#include "gpueval/task.h"

namespace gpueval {

using PictureCounts = std::span<const std::uint32_t>;  // how often each picture is drawn

// A metric of a row's pictures, prepared to be computed of many draws.
class ResampledMetric {
 public:
  virtual ~ResampledMetric() = default;
  virtual std::size_t pictures() const = 0;
  // Of the pictures, each as often as it says; absent where the metric is. Called by several threads at once.
  virtual std::optional<double> value(PictureCounts counts) const = 0;
  virtual double nanoseconds() const = 0;  // that value() takes, roughly: a function of the scores alone
};

struct Bootstrap {
  int resamples = 0;  // draws of which the metric was not absent
  Interval ci95;      // between the nearest ranks of 2.5% and 97.5% of them
};
struct PairedBootstrap {
  int resamples = 0;
  Interval first, second, diff;  // diff: second - first
};

inline constexpr int kMostResamples = 1000, kLeastResamples = 100;
// How many draws take about 3 s of one core, between these limits.
int resamples_for(double nanoseconds);

// The draws are the same in every run, for every number of threads, and the same for both. Absent without pictures, or
// where the metric is of every draw.
std::optional<Bootstrap> bootstrap(const ResampledMetric& metric);
std::optional<PairedBootstrap> paired_bootstrap(const ResampledMetric& first, const ResampledMetric& second);

// Of two rows on the same pictures; the interval by the metric that the task's headline is.
template <typename Metric>
PairedComparison compare_resampled(const Task& task, const AccuracyResult& first, const AccuracyResult& second) {
  GPUEVAL_CHECK(first.samples.size() == second.samples.size(), "{} images against {}", first.samples.size(),
                second.samples.size());
  PairedComparison result;
  result.images = std::ssize(first.samples);
  result.diff = second.headline() - first.headline();
  if (const auto found = paired_bootstrap(Metric(first.samples), Metric(second.samples))) {
    result.diff_ci95 = found->diff;
    result.resamples = found->resamples;
  }
  const Agreement found = task.agreement(second.pairs);
  result.agreement = found.share;
  result.logits = found.logits;
  return result;
}

}  // namespace gpueval
