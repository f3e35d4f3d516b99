// SPDX-License-Identifier: Apache-2.0
// The functions that host and devices share, against long double.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.h"
#include "core/score_bounds.h"
#include "task/detection/arithmetic.h"
#include "task/detection/exponentials.h"

namespace gpueval {
namespace {

TEST(DetectorFunctions, ExponentialIsDoubles) {
  Random random(5);
  double worst = 0;
  for (int i = 0; i < 200000; ++i) {
    const double x = i % 2 == 0 ? random.uniform(-708, 709) : random.uniform(-1, 1);
    const long double want = std::exp(static_cast<long double>(x));
    const auto unit = static_cast<long double>(std::ldexp(1.0, std::ilogb(static_cast<double>(want)) - 52));
    worst = std::max(worst, static_cast<double>(std::fabs(detector::double_exponential(x) - want) / unit));
  }
  EXPECT_LT(worst, 2);
  EXPECT_EQ(detector::double_exponential(0), 1);
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  EXPECT_LT(detector::double_exponential(-kInfinite), 1e-307);
  EXPECT_GT(detector::double_exponential(kInfinite), 1e307);
  EXPECT_TRUE(std::isnan(detector::double_exponential(std::nan(""))));
}

// Whatever vectors this CPU has.
TEST(DetectorFunctions, ExponentialsSideBySideAreTheSame) {
  Random random(6);
  for (std::size_t count = 0; count < 40; ++count) {
    std::vector<float> logits(count);
    for (float& value : logits) value = static_cast<float>(random.uniform(-800, 800));
    if (count > 3) logits[3] = -std::numeric_limits<float>::infinity();
    const float most = 3.25f;
    std::vector<double> found(count);
    exponentials(logits, most, found.data());
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_EQ(found[i], detector::double_exponential(double{logits[i]} - most)) << i << " of " << count;
  }
}

// Rounded once: the nearest float, but where the exact value lies within double's rounding of the middle of two.
TEST(DetectorFunctions, ProbabilitiesAreTheNearestFloats) {
  Random random(6);
  for (int i = 0; i < 100000; ++i) {
    const auto x = static_cast<float>(random.uniform(-85, 30));
    const long double want = 1 / (1 + std::exp(-static_cast<long double>(x)));
    const auto unit = static_cast<long double>(std::ldexp(1.0, std::ilogb(static_cast<double>(want)) - 23));
    ASSERT_LT(std::fabs(detector::logit_to_probability(x) - want), 0.5000001L * unit) << x;
  }
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  EXPECT_EQ(detector::logit_to_probability(kInfinite), 1.0f);
  EXPECT_EQ(detector::logit_to_probability(-kInfinite), 0.0f);
  EXPECT_TRUE(std::isnan(detector::logit_to_probability(std::nanf(""))));
}

TEST(DetectorFunctions, BoundsLeaveNothingOut) {
  Random random(7);
  for (const double threshold : {1e-30, 1e-6, 0.01, 0.45, 0.5, 0.99, 0.99999, 0.999999}) {
    const float logit = logit_bound(threshold), distance = log_bound(threshold);
    int passed = 0;
    for (int i = 0; i < 1000; ++i) {
      const auto step = static_cast<float>(random.uniform(-0.2, 0.2));
      const bool passes = detector::logit_to_probability(logit + step) > static_cast<float>(threshold);
      EXPECT_TRUE(!passes || step > 0) << threshold << ' ' << step;
      EXPECT_TRUE(static_cast<float>(detector::double_exponential(distance + step)) <= static_cast<float>(threshold) ||
                  step > 0)
          << threshold << ' ' << step;
      passed += passes ? 1 : 0;
    }
    EXPECT_GT(passed, 300) << threshold;
  }
  EXPECT_EQ(logit_bound(0), -std::numeric_limits<float>::infinity());
  EXPECT_EQ(logit_bound(1), std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace gpueval
