// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "gpueval/accuracy.h"

namespace gpueval {
namespace {

TEST(LogitError, HandComputed) {
  LogitError error;
  const std::vector<float> reference{1, -1}, logits{0.5f, -0.5f};
  error.add(reference, logits);
  EXPECT_DOUBLE_EQ(error.signal, 2);
  EXPECT_DOUBLE_EQ(error.noise, 0.5);
  EXPECT_NEAR(error.sqnr_db(), 10 * std::log10(4.0), 1e-12);
  const double p = 1 / (1 + std::exp(-2.0)), q = 1 / (1 + std::exp(-1.0));
  EXPECT_NEAR(error.mean_kl(), p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q)), 1e-12);
}

TEST(LogitError, AConstantIsNoError) {
  LogitError error;
  const std::vector<float> reference{3, 1, 2}, logits{103, 101, 102};
  error.add(reference, logits);
  EXPECT_TRUE(std::isinf(error.sqnr_db()));
  EXPECT_NEAR(error.mean_kl(), 0, 1e-12);
}

TEST(LogitError, ImagesWithNaNAreLeftOut) {
  LogitError error;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  error.add(std::vector<float>{1, 2}, std::vector<float>{1, nan});
  error.add(std::vector<float>{nan, 2}, std::vector<float>{1, 2});
  EXPECT_EQ(error.images, 0);
  error.add(std::vector<float>{1, 2}, std::vector<float>{1, 4});
  EXPECT_EQ(error.images, 1);
  EXPECT_TRUE(std::isfinite(error.sqnr_db()));
}

}  // namespace
}  // namespace gpueval
