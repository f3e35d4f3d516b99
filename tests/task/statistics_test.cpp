// SPDX-License-Identifier: Apache-2.0
#include "task/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "gpueval/error.h"

namespace gpueval {
namespace {

// scipy.stats.binomtest(s, n).proportion_ci(0.95, "wilson")
TEST(Statistics, WilsonIntervalEqualsScipy) {
  const Interval half = wilson_interval(282, 500);
  EXPECT_NEAR(half.low, 0.5202096875439773, 1e-12);
  EXPECT_NEAR(half.high, 0.606814396876944, 1e-12);
  const Interval many = wilson_interval(35000, 50000);
  EXPECT_NEAR(many.low, 0.6959680293596319, 1e-12);
  EXPECT_NEAR(many.high, 0.7040012413307101, 1e-12);
}

TEST(Statistics, WilsonIntervalAtTheEnds) {
  EXPECT_EQ(wilson_interval(0, 10).low, 0);
  EXPECT_NEAR(wilson_interval(0, 10).high, 0.27753279986288926, 1e-12);
  EXPECT_NEAR(wilson_interval(10, 10).low, 0.7224672001371109, 1e-12);
  EXPECT_EQ(wilson_interval(10, 10).high, 1);
  EXPECT_NEAR(wilson_interval(1, 1).low, 0.20654931437723745, 1e-12);
  EXPECT_EQ(wilson_interval(0, 0).low, 0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
}

// Python: float(Fraction(2 * sum(comb(up + down, i) for i in range(min(up, down) + 1)), 2 ** (up + down))), at most 1
TEST(Statistics, McNemarIsExact) {
  struct Case {
    std::int64_t up, down;
    double p;
  };
  for (const Case& c :
       {Case{0, 0, 1.0}, Case{0, 1, 1.0}, Case{0, 5, 0.0625}, Case{1, 8, 0.0390625}, Case{10, 25, 0.01667384780012071},
        Case{100, 140, 0.011664092317677663}, Case{7, 7, 1.0}, Case{4900, 5100, 0.04658552770494739},
        Case{24000, 26000, 3.8574699510318216e-19}, Case{0, 1000, 1.8665272370064378e-301}}) {
    EXPECT_NEAR(mcnemar_exact(c.up, c.down) / c.p, 1, 1e-12) << c.up << " up, " << c.down << " down";
    EXPECT_EQ(mcnemar_exact(c.up, c.down), mcnemar_exact(c.down, c.up));
  }
  EXPECT_EQ(mcnemar_exact(0, 50000), 0) << "2^-49999 is below the smallest double";
}

// Bonett and Price: p_up = 21/502, p_down = 31/502, difference -10/502, deviation sqrt((52/502 - (10/502)^2) / 502)
TEST(Statistics, PairedDifferenceInterval) {
  const Interval ci = paired_difference_interval(20, 30, 500);
  const double diff = -10.0 / 502, deviation = std::sqrt((52.0 / 502 - diff * diff) / 502);
  EXPECT_NEAR(ci.low, diff - 1.959963984540054 * deviation, 1e-12);
  EXPECT_NEAR(ci.high, diff + 1.959963984540054 * deviation, 1e-12);
}

// p = (a + b) / (n + m); 2 * scipy.stats.norm.sf(abs(a/n - b/m) / sqrt(p * (1 - p) * (1/n + 1/m)))
TEST(Statistics, TwoProportionTestEqualsScipy) {
  EXPECT_NEAR(two_proportion_p(282, 500, 256, 500), 0.09911608144192562, 1e-12);
  EXPECT_NEAR(two_proportion_p(35000, 50000, 34500, 50000), 0.0005942691374445434, 1e-12);
  EXPECT_EQ(two_proportion_p(0, 500, 0, 400), 1);
  EXPECT_EQ(two_proportion_p(0, 0, 1, 2), 1);
}

TEST(Statistics, PercentileIsNearestRank) {
  std::vector<double> hundred;
  for (int i = 1; i <= 100; ++i) hundred.push_back(i);
  EXPECT_EQ(percentile(hundred, 50), 50);
  EXPECT_EQ(percentile(hundred, 99), 99);
  EXPECT_EQ(percentile(hundred, 99.1), 100);
  EXPECT_EQ(percentile(hundred, 100), 100);
  const std::vector<double> five{15, 20, 35, 40, 50};  // the textbook's example
  EXPECT_EQ(percentile(five, 5), 15);
  EXPECT_EQ(percentile(five, 30), 20);
  EXPECT_EQ(percentile(five, 40), 20);
  EXPECT_EQ(percentile(five, 50), 35);
  EXPECT_THROW(percentile({}, 50), Error);
}

// numpy.std(x, ddof=1) / numpy.mean(x)
TEST(Statistics, MeanAndVariation) {
  const std::vector<double> x{12, 10.5, 11.25, 10, 30};
  EXPECT_DOUBLE_EQ(mean(x), 14.75);
  EXPECT_NEAR(coefficient_of_variation(x), 0.580245517580464, 1e-14);
  EXPECT_EQ(coefficient_of_variation(std::vector<double>{3}), 0);
}

}  // namespace
}  // namespace gpueval
