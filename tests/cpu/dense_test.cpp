// SPDX-License-Identifier: Apache-2.0
// Guards dense layers from weights as Keras stores them: the very bits of the packed kernel, whatever batch and
// threads.
#include "cpu/float32/dense.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <random>
#include <tuple>

#include "core/threads.h"
#include "cpu/float32/dense_tile.h"
#include "cpu/float32/float_plan.h"
#include "cpu/float_case.h"

namespace gpueval::cpu {
namespace {

using test::computed;
using test::FloatData;
using test::make_data;

// As FloatConv is made, for computed().
struct SharedDense : PlainDense {
  SharedDense(const ConvDesc& desc, const std::vector<float>& weights, std::span<const float> bias, Activation act)
      : PlainDense(desc, std::make_shared<const std::vector<float>>(weights), bias, act) {}
};

class Dense : public testing::TestWithParam<std::tuple<int, int, int>> {
 protected:
  void SetUp() override {
    if (!own_float_conv_usable()) GTEST_SKIP() << "needs AVX-512";
  }
  void TearDown() override { set_threads(0); }
};

TEST_P(Dense, GivesTheBitsOfThePackedKernel) {
  const auto [n, c, k] = GetParam();
  const ConvDesc d{.n = n, .h = 1, .w = 1, .c = c, .k = k};
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const FloatData data = make_data(d, [&] { return normal(random); });
  for (const Activation act : {Activation::kNone, Activation::kRelu, Activation::kRelu6}) {
    set_threads(1);
    const std::vector<float> want = computed<FloatConv>(d, data, act, false);
    for (const int workers : {1, 2, 3}) {
      set_threads(workers);
      EXPECT_EQ(computed<SharedDense>(d, data, act, false), want) << workers << " threads";
    }
    const std::vector<float> first = computed<SharedDense>(d, data, act, false, 1);
    EXPECT_TRUE(std::equal(want.begin(), want.begin() + k, first.begin()));
    EXPECT_TRUE(n == 1 || first[static_cast<std::size_t>(k)] == 12345.0f) << "a partial batch wrote more";
  }
}

// Every number of rows behind the last eight, channels that the threads share unevenly, chunks of a large batch.
INSTANTIATE_TEST_SUITE_P(Shapes, Dense,
                         testing::Values(std::tuple{1, 1, 32}, std::tuple{1, 8, 32}, std::tuple{2, 10, 96},
                                         std::tuple{3, 11, 32}, std::tuple{1, 12, 64}, std::tuple{5, 13, 160},
                                         std::tuple{16, 14, 544}, std::tuple{17, 31, 608}, std::tuple{2, 9, 4128}));

TEST(DenseEdge, ANanStaysOne) {
  if (!own_float_conv_usable()) GTEST_SKIP() << "needs AVX-512";
  const ConvDesc d{.n = 2, .h = 1, .w = 1, .c = 5, .k = 32};
  FloatData data = make_data(d, [] { return 1.0f; });
  data.src[0] = std::numeric_limits<float>::quiet_NaN();
  for (const Activation act : {Activation::kNone, Activation::kRelu, Activation::kRelu6}) {
    const std::vector<float> dst = computed<SharedDense>(d, data, act, false);
    for (std::size_t k = 0; k < 32; ++k) EXPECT_TRUE(std::isnan(dst[k]) && dst[32 + k] == 6) << "channel " << k;
  }
}

TEST(DensePlan, TakesLargeLayersAlone) {
  const auto dense = [](int c, int k) { return ConvDesc{.h = 1, .w = 1, .c = c, .k = k}; };
  EXPECT_TRUE(prefer_plain_dense(dense(25088, 4096), false));
  EXPECT_TRUE(prefer_plain_dense(dense(4096, 4096), false));
  EXPECT_FALSE(prefer_plain_dense(dense(4096, 4096), true)) << "a residual";
  EXPECT_FALSE(prefer_plain_dense(dense(4096, 1000), false)) << "fits a cache";
  EXPECT_FALSE(prefer_plain_dense(dense(100000, 1000), false)) << "no whole blocks of channels";
  ConvDesc window = dense(25088, 4096);
  window.h = window.w = 2;
  EXPECT_FALSE(plain_dense_fits(window));
  for (const int n : {1, 2, 16, 100000}) EXPECT_TRUE(dense_chunk(n) >= 256 && dense_chunk(n) % kDenseChannels == 0);
}

}  // namespace
}  // namespace gpueval::cpu
