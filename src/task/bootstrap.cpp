// SPDX-License-Identifier: Apache-2.0
#include "task/bootstrap.h"

#include <algorithm>
#include <array>

#include "core/random.h"
#include "core/threads.h"
#include "gpueval/error.h"
#include "task/statistics.h"

namespace gpueval {
namespace {

constexpr std::uint64_t kBootstrapSeed = 1;
constexpr double kMostNanoseconds = 3e9;

std::vector<std::uint32_t> draw_pictures(std::uint64_t seed, std::size_t pictures) {
  std::vector<std::uint32_t> counts(pictures);
  Random random(seed);
  for (std::size_t i = 0; i < pictures; ++i) ++counts[random.next() % pictures];
  return counts;
}

// By draw, the value of each metric.
using Values = std::vector<std::vector<std::optional<double>>>;

Values values_of_draws(std::span<const ResampledMetric* const> metrics) {
  const std::size_t pictures = metrics[0]->pictures();
  double nanoseconds = 0;
  for (const ResampledMetric* metric : metrics) {
    GPUEVAL_CHECK(metric->pictures() == pictures, "{} images against {}", pictures, metric->pictures());
    nanoseconds += metric->nanoseconds();
  }
  Values values(pictures == 0 ? 0 : static_cast<std::size_t>(resamples_for(nanoseconds)));
  Random seeds(kBootstrapSeed);
  std::vector<std::uint64_t> seed_of(values.size());
  for (std::uint64_t& seed : seed_of) seed = seeds.next();
  parallel_for_dynamic(std::ssize(values), [&](std::int64_t task) {
    const auto draw = static_cast<std::size_t>(task);
    const std::vector<std::uint32_t> counts = draw_pictures(seed_of[draw], pictures);
    for (const ResampledMetric* metric : metrics) values[draw].push_back(metric->value(counts));
  });
  std::erase_if(values,
                [](const auto& draw) { return std::find(draw.begin(), draw.end(), std::nullopt) != draw.end(); });
  return values;
}

template <typename Get>
Interval central_interval(const Values& values, Get get) {
  std::vector<double> sorted;
  for (const auto& draw : values) sorted.push_back(get(draw));
  std::sort(sorted.begin(), sorted.end());
  return {percentile(sorted, 2.5), percentile(sorted, 97.5)};
}

}  // namespace

int resamples_for(double nanoseconds) {
  return static_cast<int>(std::clamp<double>(kMostNanoseconds / nanoseconds, kLeastResamples, kMostResamples));
}

std::optional<Bootstrap> bootstrap(const ResampledMetric& metric) {
  const Values values = values_of_draws(std::array{&metric});
  if (values.empty()) return std::nullopt;
  return Bootstrap{static_cast<int>(values.size()),
                   central_interval(values, [](const auto& draw) { return *draw[0]; })};
}

std::optional<PairedBootstrap> paired_bootstrap(const ResampledMetric& first, const ResampledMetric& second) {
  const Values values = values_of_draws(std::array{&first, &second});
  if (values.empty()) return std::nullopt;
  PairedBootstrap result{static_cast<int>(values.size())};
  result.first = central_interval(values, [](const auto& draw) { return *draw[0]; });
  result.second = central_interval(values, [](const auto& draw) { return *draw[1]; });
  result.diff = central_interval(values, [](const auto& draw) { return *draw[1] - *draw[0]; });
  return result;
}

}  // namespace gpueval
