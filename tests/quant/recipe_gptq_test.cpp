// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/gptq.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "core/random.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

// A covariance of `samples` random integer inputs: singular where samples <= n.
SquareMatrix random_covariance(Random& random, std::size_t n, std::size_t samples) {
  SquareMatrix h(n);
  std::vector<double> x(n);
  for (std::size_t s = 0; s < samples; ++s) {
    const double common = random.normal();
    for (double& v : x) v = std::round(40 * (common + random.normal()));
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) h.row(i)[j] += x[i] * x[j] / static_cast<double>(samples);
    }
  }
  return h;
}

TEST(Cholesky, FactorsOfEverySizeMultiplyToTheMatrix) {
  Random random(1);
  for (const std::size_t n : {1u, 2u, 9u, 63u, 64u, 65u, 130u, 200u}) {
    const SquareMatrix a = random_covariance(random, n, 3 * n + 3);
    const SquareMatrix l = cholesky(a);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (std::size_t k = 0; k <= j; ++k) sum += l.row(i)[k] * l.row(j)[k];
        ASSERT_NEAR(sum, a.row(i)[j], 1e-12 * a.row(0)[0] * static_cast<double>(n)) << n << ": " << i << ", " << j;
      }
    }
  }
}

TEST(Cholesky, SolvesAndRefusesIndefiniteMatrices) {
  Random random(2);
  const SquareMatrix a = random_covariance(random, 70, 200);
  std::vector<double> x(70 * kLanes), b(70 * kLanes, 0.0);
  for (double& v : x) v = random.normal();
  for (std::size_t i = 0; i < 70; ++i) axpy_lanes(b.data(), a.row(i), x.data() + i * kLanes, 0, 70);
  solve_lanes(cholesky(a), b.data());
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(b[i], x[i], 1e-9) << i;
  SquareMatrix indefinite(2);
  indefinite.values = {1, 2, 2, 1};
  EXPECT_THROW(cholesky(indefinite), Error);
}

TEST(Gptq, AgreesWithNumpy) {
  std::ifstream file(std::string(GPUEVAL_SOURCE_DIR) + "/tests/golden/quant/gptq.txt");
  int cases = 0;
  for (std::size_t n = 0, rows = 0; file >> n >> rows; ++cases) {
    SquareMatrix h(n);
    std::vector<double> weights(rows * n), scale(rows);
    for (auto* values : {&h.values, &weights, &scale}) {
      for (double& v : *values) file >> v;
    }
    const std::vector<std::int8_t> q = CompensatedRounding(h, {}).round(weights, scale);
    for (std::size_t i = 0; i < q.size(); ++i) {
      int expected = 0;
      file >> expected;
      ASSERT_EQ(int{q[i]}, expected) << "case " << cases << ", weight " << i;
    }
  }
  EXPECT_EQ(cases, 4);
}

TEST(Gptq, IsNeverWorseThanRoundingToNearest) {
  Random random(3);
  double compensated = 0, plain = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const auto n = static_cast<std::size_t>(random.integer(1, 80));
    const SquareMatrix h = random_covariance(random, n, static_cast<std::size_t>(random.integer(1, 150)));
    std::vector<double> weights(n);
    for (double& w : weights) w = random.normal();
    const double scale = random.uniform(0.001, 1.5);  // some weights saturate
    std::vector<std::int8_t> nearest;
    for (const double w : weights) {
      nearest.push_back(static_cast<std::int8_t>(std::nearbyint(std::clamp(w / scale, -127.0, 127.0))));
    }
    const double before = quadratic_error(h, weights, scale, nearest);
    const double after = quadratic_error(h, weights, scale, CompensatedRounding(h, {}).round_row(weights, scale));
    EXPECT_LE(after, before * (1 + 1e-9)) << "trial " << trial << ", n " << n;
    compensated += after / scale / scale;
    plain += before / scale / scale;
  }
  EXPECT_LT(compensated, 0.5 * plain);
}

TEST(Gptq, DeadInputsAndRowsRoundToNearest) {
  const SquareMatrix dead(9);
  const std::vector<double> weights{0, 1e-14, -0.6, 0.4, 200, -300, 0, 1, 2};
  EXPECT_EQ(CompensatedRounding(dead, {}).round_row(weights, 1.0),
            (std::vector<std::int8_t>{0, 0, -1, 0, 127, -127, 0, 1, 2}));
}

}  // namespace
}  // namespace gpueval
