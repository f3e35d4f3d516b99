// SPDX-License-Identifier: Apache-2.0
// Guards Winograd's transforms: source pixels outside of the image, tiles cut at its edges, chunks of tiles, residual
// and bounds; and that its errors stay within the bound of a plain sum.
#include "cpu/float32/winograd_conv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "core/threads.h"
#include "cpu/float32/float_plan.h"
#include "cpu/float_case.h"

namespace gpueval::cpu {
namespace {

using test::computed;
using test::expected;
using test::FloatData;
using test::FloatSum;
using test::make_data;

FloatData normal_data(const ConvDesc& d, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  return make_data(d, [&] { return normal(random); });
}

class WinogradShapes : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!own_float_conv_usable()) GTEST_SKIP() << "needs AVX-512";
  }
  void TearDown() override { set_threads(0); }
};

TEST_P(WinogradShapes, IsWithinThePlainSumsRoundingBound) {
  const ConvDesc d = parse_conv_desc(GetParam());
  const FloatData data = normal_data(d, 1);
  for (const Activation act : {Activation::kNone, Activation::kRelu, Activation::kRelu6}) {
    const bool residual = act != Activation::kRelu6;
    const std::vector<float> dst = computed<WinogradConv>(d, data, act, residual);
    for (std::size_t i = 0; i < dst.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      const FloatSum sum = expected(d, data, at / d.k, static_cast<int>(at % d.k));
      double want = sum.value + (residual ? data.residual[i] : 0.0f);
      if (act != Activation::kNone) want = std::max(want, 0.0);
      if (act == Activation::kRelu6) want = std::min(want, 6.0);
      const double bound = std::numeric_limits<float>::epsilon() * static_cast<double>(d.depth() + 1) * sum.magnitude;
      ASSERT_TRUE(std::abs(dst[i] - want) <= bound) << "at " << i << ": " << dst[i] << ", not " << want;
    }
  }
}

TEST_P(WinogradShapes, ZeroWeightsLeaveTheBias) {
  const ConvDesc d = parse_conv_desc(GetParam());
  FloatData data = normal_data(d, 2);
  std::fill(data.weights.begin(), data.weights.end(), 0.0f);
  const std::vector<float> dst = computed<WinogradConv>(d, data, Activation::kNone, false);
  for (std::size_t i = 0; i < dst.size(); ++i) ASSERT_EQ(dst[i], data.bias[i % static_cast<std::size_t>(d.k)]);
}

TEST_P(WinogradShapes, SameBitsForEveryBatchAndThreadCount) {
  const ConvDesc d = parse_conv_desc(GetParam());
  const FloatData data = normal_data(d, 3);
  set_threads(1);
  const std::vector<float> one = computed<WinogradConv>(d, data, Activation::kRelu, true);
  for (const int workers : {2, 3}) {
    set_threads(workers);
    EXPECT_EQ(one, computed<WinogradConv>(d, data, Activation::kRelu, true)) << workers << " threads";
  }
  const std::size_t image = one.size() / static_cast<std::size_t>(d.n);
  const std::vector<float> first = computed<WinogradConv>(d, data, Activation::kRelu, true, 1);
  EXPECT_TRUE(std::equal(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(image), first.begin()));
  EXPECT_TRUE(d.n == 1 || first[image] == 12345.0f) << "a partial batch wrote more than its images";
}

INSTANTIATE_TEST_SUITE_P(Shapes, WinogradShapes,
                         testing::Values("n1h4w4c16_k16r3s3_st1_pad1,1,1,1", "n3h1w1c16_k16r3s3_st1_pad1,1,1,1",
                                         "n2h5w9c32_k48r3s3_st1_pad0,0,0,0", "n1h14w13c48_k32r3s3_st1_pad1,1,1,1",
                                         "n2h11w7c80_k64r3s3_st1_pad0,2,1,0", "n1h6w7c528_k16r3s3_st1_pad2,2,2,2",
                                         "n2h70w70c16_k32r3s3_st1_pad1,1,1,1"),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::replace(name.begin(), name.end(), ',', '_');
                           return name;
                         });

// Sums that overflow end as NaN, and whoever reads the logits refuses them: bounds must not hide it.
TEST(WinogradEdge, ANanStaysOne) {
  if (!own_float_conv_usable()) GTEST_SKIP() << "needs AVX-512";
  const ConvDesc d = parse_conv_desc("n1h4w4c16_k32r3s3_st1_pad1,1,1,1");
  FloatData data = make_data(d, [] { return 1.0f; });
  data.src[0] = std::numeric_limits<float>::quiet_NaN();
  for (const Activation act : {Activation::kNone, Activation::kRelu, Activation::kRelu6}) {
    const std::vector<float> dst = computed<WinogradConv>(d, data, act, false);
    for (std::size_t k = 0; k < static_cast<std::size_t>(d.k); ++k) EXPECT_TRUE(std::isnan(dst[k])) << "channel " << k;
  }
}

TEST(WinogradPlan, FitsWindowsOf3x3AndWholeVectors) {
  const auto fits = [](const char* text) { return winograd_fits(parse_conv_desc(text)); };
  EXPECT_TRUE(fits("n1h56w56c64_k64r3s3_st1_pad1,1,1,1"));
  EXPECT_FALSE(fits("n1h56w56c64_k64r3s3_st2_pad1,1,1,1"));
  EXPECT_FALSE(fits("n1h56w56c64_k64r1s3_st1_pad0,0,1,1"));
  EXPECT_FALSE(fits("n1h224w224c3_k64r3s3_st1_pad1,1,1,1"));
  EXPECT_FALSE(fits("n1h56w56c64_k40r3s3_st1_pad1,1,1,1"));
  EXPECT_FALSE(fits("n1h56w56c64_dw_r3s3_st1_pad1,1,1,1"));
}

TEST(WinogradPlan, ChunksFillTheCacheOrShareLargeWeights) {
  const CacheSizes caches{.l1 = 48 << 10, .l2 = 2 << 20};
  EXPECT_EQ(winograd_chunk(parse_conv_desc("n1h56w56c64_k64r3s3_st1_pad1,1,1,1"), caches), 56);
  EXPECT_EQ(winograd_chunk(parse_conv_desc("n1h28w28c512_k512r3s3_st1_pad1,1,1,1"), caches), 112);
}

}  // namespace
}  // namespace gpueval::cpu
