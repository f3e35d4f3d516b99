// SPDX-License-Identifier: Apache-2.0
// The few statistics a result needs. Sources: Wilson 1927; McNemar 1947 (exact form); Bonett and Price 2012.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gpueval/task.h"

namespace gpueval {

// Wilson score interval of a proportion, 95%; {0, 1} without trials.
Interval wilson_interval(std::int64_t successes, std::int64_t trials);

// Exact two-sided McNemar test: of `up + down` images that only one of two classifiers gets right, the smaller count
// under Binomial(up + down, 1/2), doubled, at most 1. Summed from logarithms, good to 1e-12 for any count of images.
double mcnemar_exact(std::int64_t up, std::int64_t down);

// P(X <= successes) of Binomial(trials, p), 0 < p < 1; 1 from `trials` on, 0 below 0.
double binomial_at_most(std::int64_t successes, std::int64_t trials, double p);

// 95% interval of the difference of two paired proportions, (up - down) / images, adjusted by one image each way.
Interval paired_difference_interval(std::int64_t up, std::int64_t down, std::int64_t images);

// Two-sided p of the unpaired, pooled two-proportion z-test; 1 where both proportions are 0 or 1.
double two_proportion_p(std::int64_t successes1, std::int64_t trials1, std::int64_t successes2, std::int64_t trials2);

std::string p_value_text(double p);  // "0.31", "0.042", "0.0004", "<0.0001"

// Nearest rank: the smallest value with at least `percent`% of the values at or below it; never interpolated. sorted
// must ascend and not be empty.
double percentile(std::span<const double> sorted, double percent);
double median(std::vector<double> values);  // the nearest rank of 50%
double mean(std::span<const double> values);
double coefficient_of_variation(std::span<const double> values);  // sample deviation (n - 1) / mean; 0 for one value

}  // namespace gpueval
