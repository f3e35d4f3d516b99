// SPDX-License-Identifier: Apache-2.0
#include "task/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <numeric>

#include "gpueval/error.h"

namespace gpueval {
namespace {
constexpr double kZ95 = 1.959963984540054;  // Phi^-1(0.975)
}

Interval wilson_interval(std::int64_t successes, std::int64_t trials) {
  if (trials <= 0) return {0, 1};
  const double n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double z2 = kZ95 * kZ95;
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ95 / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  // At the ends the bound is exact; rounding would leave 1e-17 of it.
  return {successes == 0 ? 0.0 : std::max(0.0, centre - half),
          successes == trials ? 1.0 : std::min(1.0, centre + half)};
}

double mcnemar_exact(std::int64_t up, std::int64_t down) {
  const std::int64_t n = up + down;
  const std::int64_t least = std::min(up, down);
  if (2 * least >= n) return 1.0;
  // C(n, least) / 2^n in logarithms, then the shrinking ratios C(n, k - 1) / C(n, k) = k / (n - k + 1) down to k = 0.
  const auto log_factorial = [](std::int64_t k) { return std::lgamma(static_cast<long double>(k) + 1.0L); };
  const long double log_term = log_factorial(n) - log_factorial(least) - log_factorial(n - least) -
                               static_cast<long double>(n) * std::numbers::ln2_v<long double>;
  long double sum = 1, term = 1;
  for (std::int64_t k = least; k > 0 && term > sum * 1e-22L; --k) {
    term *= static_cast<long double>(k) / static_cast<long double>(n - k + 1);
    sum += term;
  }
  return static_cast<double>(std::min(1.0L, 2.0L * std::exp(log_term + std::log(sum))));
}

double binomial_at_most(std::int64_t successes, std::int64_t trials, double p) {
  if (successes < 0) return 0;
  if (successes >= trials) return 1;
  // Terms shrink away from the mean only, so the tail on the other side is the complement's.
  const long double n = static_cast<long double>(trials);
  if (static_cast<long double>(successes) > n * p) return 1 - binomial_at_most(trials - successes - 1, trials, 1 - p);
  const auto log_factorial = [](long double k) { return std::lgamma(k + 1.0L); };
  const long double first = static_cast<long double>(successes);
  const long double log_term = log_factorial(n) - log_factorial(first) - log_factorial(n - first) +
                               first * std::log(static_cast<long double>(p)) +
                               (n - first) * std::log1p(-static_cast<long double>(p));
  const long double odds = (1.0L - p) / p;
  long double sum = 1, term = 1;
  for (long double k = first; k > 0 && term > sum * 1e-22L; --k) {
    term *= k / (n - k + 1) * odds;
    sum += term;
  }
  return static_cast<double>(std::min(1.0L, std::exp(log_term + std::log(sum))));
}

Interval paired_difference_interval(std::int64_t up, std::int64_t down, std::int64_t images) {
  const double n = static_cast<double>(images) + 2;
  const double p_up = (static_cast<double>(up) + 1) / n;
  const double p_down = (static_cast<double>(down) + 1) / n;
  const double diff = p_up - p_down;
  const double half = kZ95 * std::sqrt((p_up + p_down - diff * diff) / n);
  return {std::max(-1.0, diff - half), std::min(1.0, diff + half)};
}

double two_proportion_p(std::int64_t successes1, std::int64_t trials1, std::int64_t successes2, std::int64_t trials2) {
  if (trials1 <= 0 || trials2 <= 0) return 1.0;
  const double n1 = static_cast<double>(trials1), n2 = static_cast<double>(trials2);
  const double s1 = static_cast<double>(successes1), s2 = static_cast<double>(successes2);
  const double pooled = (s1 + s2) / (n1 + n2);
  const double variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2);
  if (!(variance > 0)) return 1.0;
  return std::erfc(std::abs(s1 / n1 - s2 / n2) / std::sqrt(2 * variance));
}

std::string p_value_text(double p) {
  if (p < 0.0001) return "<0.0001";
  if (p < 0.001) return fmt::format("{:.4f}", p);
  if (p < 0.1) return fmt::format("{:.3f}", p);
  return fmt::format("{:.2f}", p);
}

double percentile(std::span<const double> sorted, double percent) {
  GPUEVAL_CHECK(!sorted.empty() && percent > 0 && percent <= 100, "{} values, {}%", sorted.size(), percent);
  const double n = static_cast<double>(sorted.size());
  // The small term keeps 99% of 100 values at rank 99: 99 / 100 * 100 may round to just above 99.
  const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(percent * n / 100 - 1e-9)));
  return sorted[std::min(rank, sorted.size()) - 1];
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return percentile(values, 50);
}

double mean(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double coefficient_of_variation(std::span<const double> values) {
  const double average = mean(values);
  if (values.size() < 2 || !(average > 0)) return 0;
  double squares = 0;
  for (const double v : values) squares += (v - average) * (v - average);
  return std::sqrt(squares / static_cast<double>(values.size() - 1)) / average;
}

}  // namespace gpueval
