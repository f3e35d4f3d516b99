// SPDX-License-Identifier: Apache-2.0
// Guards our float32 convolution: every tile height, lanes behind the last channel, padding, strides, residual, bounds.
#include "cpu/float32/float_conv.h"

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

class FloatConvShapes : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!own_float_conv_usable()) GTEST_SKIP() << "needs AVX-512";
  }
  void TearDown() override { set_threads(0); }
};

TEST_P(FloatConvShapes, SmallIntegersAreExact) {
  const ConvDesc d = parse_conv_desc(GetParam());
  std::mt19937 random(1);
  std::uniform_int_distribution<int> digit(-8, 8);
  const FloatData data = make_data(d, [&] { return static_cast<float>(digit(random)); });
  for (const Activation act : {Activation::kNone, Activation::kRelu, Activation::kRelu6}) {
    const bool residual = act != Activation::kRelu6;
    const std::vector<float> dst = computed<FloatConv>(d, data, act, residual);
    for (std::size_t i = 0; i < dst.size(); ++i) {
      const auto pixel = static_cast<std::int64_t>(i) / d.k;
      double want = expected(d, data, pixel, static_cast<int>(static_cast<std::int64_t>(i) % d.k)).value;
      if (residual) want += data.residual[i];
      if (act != Activation::kNone) want = std::max(want, 0.0);
      if (act == Activation::kRelu6) want = std::min(want, 6.0);
      ASSERT_EQ(dst[i], static_cast<float>(want))
          << "pixel " << pixel << ", channel " << i % static_cast<std::size_t>(d.k);
    }
  }
}

TEST_P(FloatConvShapes, RandomDataIsWithinTheRoundingBound) {
  const ConvDesc d = parse_conv_desc(GetParam());
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  const FloatData data = make_data(d, [&] { return normal(random); });
  const std::vector<float> dst = computed<FloatConv>(d, data, Activation::kNone, false);
  for (std::size_t i = 0; i < dst.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const FloatSum want = expected(d, data, at / d.k, static_cast<int>(at % d.k));
    const double bound = std::numeric_limits<float>::epsilon() * static_cast<double>(d.depth() + 1) * want.magnitude;
    ASSERT_TRUE(!(std::abs(dst[i] - want.value) > bound) && !std::isnan(dst[i])) << "at " << i << ": " << dst[i];
  }
}

TEST_P(FloatConvShapes, SameBitsForEveryBatchAndThreadCount) {
  const ConvDesc d = parse_conv_desc(GetParam());
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  const FloatData data = make_data(d, [&] { return normal(random); });
  set_threads(1);
  const std::vector<float> one = computed<FloatConv>(d, data, Activation::kRelu, true);
  for (const int workers : {2, 3, 4}) {
    set_threads(workers);
    EXPECT_EQ(one, computed<FloatConv>(d, data, Activation::kRelu, true)) << workers << " threads";
  }
  const std::size_t image = one.size() / static_cast<std::size_t>(d.n);
  const std::vector<float> first = computed<FloatConv>(d, data, Activation::kRelu, true, 1);
  EXPECT_TRUE(std::equal(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(image), first.begin()));
  EXPECT_TRUE(d.n == 1 || first[image] == 12345.0f) << "a partial batch wrote more than its images";
}

INSTANTIATE_TEST_SUITE_P(Shapes, FloatConvShapes,
                         testing::Values("n1h1w1c1_k1r1s1_st1_pad0,0,0,0", "n1h1w7c5_k16r1s1_st1_pad0,0,0,0",
                                         "n1h1w8c5_k17r1s1_st1_pad0,0,0,0", "n2h3w5c6_k33r1s1_st1_pad0,0,0,0",
                                         "n3h7w7c3_k31r1s1_st1_pad0,0,0,0", "n1h9w11c728_k40r1s1_st1_pad0,0,0,0",
                                         "n5h1w1c64_k100r1s1_st1_pad0,0,0,0", "n2h9w9c7_k48r1s1_st2_pad0,0,0,0",
                                         "n2h7w7c16_k70r3s3_st1_pad1,1,1,1", "n2h17w17c8_k32r1s7_st1_pad0,0,3,3",
                                         "n1h17w17c8_k32r7s1_st1_pad3,3,0,0", "n1h15w15c3_k24r3s3_st2_pad0,1,0,1",
                                         "n2h12w13c9_k20r5s5_st2x1_pad2,2,2,2", "n1h4w2c1300_k96r1s1_st1_pad0,0,0,0"),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::replace(name.begin(), name.end(), ',', '_');
                           return name;
                         });

// Sums that overflow end as NaN, and whoever reads the logits refuses them: bounds must not hide it.
TEST(FloatConvEdge, ANanStaysOne) {
  if (!own_float_conv_usable()) GTEST_SKIP() << "needs AVX-512";
  const ConvDesc d = parse_conv_desc("n1h2w2c5_k17r1s1_st1_pad0,0,0,0");
  FloatData data = make_data(d, [] { return 1.0f; });
  data.src[0] = std::numeric_limits<float>::quiet_NaN();
  for (const Activation act : {Activation::kNone, Activation::kRelu, Activation::kRelu6}) {
    const std::vector<float> dst = computed<FloatConv>(d, data, act, false);
    for (std::size_t k = 0; k < static_cast<std::size_t>(d.k); ++k) EXPECT_TRUE(std::isnan(dst[k])) << "channel " << k;
  }
}

TEST(FloatPlan, HalfTilesCoverEveryPixel) {
  for (const char* text : {"n1h7w7c512_k512r3s3_st1_pad1,1,1,1", "n1h17w17c8_k32r1s7_st1_pad0,0,3,3",
                           "n2h55w55c64_k256r1s1_st1_pad0,0,0,0", "n1h8w8c64_k256r3s3_st1_pad1,1,1,1",
                           "n3h1w1c64_k10r1s1_st1_pad0,0,0,0", "n1h55w55c256_k512r1s1_st2_pad0,0,0,0"}) {
    const ConvDesc d = parse_conv_desc(text);
    const FloatLines lines = float_lines(d);
    EXPECT_EQ(lines.lines * lines.pixels, d.output_pixels()) << text;
    EXPECT_GE(lines.rows, 1) << text;
    EXPECT_LE(lines.rows, 7) << text;
    EXPECT_GE(lines.halves * lines.rows, lines.pixels) << text;
    EXPECT_LT((lines.halves - 1) * lines.rows, lines.pixels) << text;
  }
  EXPECT_EQ(float_lines(parse_conv_desc("n1h17w17c8_k32r3s3_st1_pad1,1,1,1")).rows, 6);  // 6 + 6 + 5, not 7 + 7 + 3
}

TEST(FloatPlan, ThreadsShareWhatIsLarger) {
  // 49 pixels and 4 MiB of weights: each thread reads its own weights. 3136 pixels and 64 KiB: its own pixels.
  EXPECT_EQ(float_grid(parse_conv_desc("n1h7w7c512_k2048r1s1_st1_pad0,0,0,0"), 2), (FloatGrid{1, 2}));
  EXPECT_EQ(float_grid(parse_conv_desc("n1h56w56c64_k256r1s1_st1_pad0,0,0,0"), 2), (FloatGrid{2, 1}));
  EXPECT_EQ(float_grid(parse_conv_desc("n1h56w56c64_k32r1s1_st1_pad0,0,0,0"), 2), (FloatGrid{2, 1}));
  EXPECT_EQ(float_grid(parse_conv_desc("n1h56w56c64_k32r1s1_st1_pad0,0,0,0"), 1), (FloatGrid{1, 1}));
}

TEST(FloatPlan, FetchesAheadOnlyWeightsThatLeaveTheCache) {
  const CacheSizes caches{.l1 = 48 << 10, .l2 = 2 << 20};
  EXPECT_FALSE(float_panel(parse_conv_desc("n1h56w56c64_k256r1s1_st1_pad0,0,0,0"), 8, caches).fetch_ahead);
  const FloatPanel large = float_panel(parse_conv_desc("n1h7w7c2048_k512r1s1_st1_pad0,0,0,0"), 16, caches);
  EXPECT_TRUE(large.fetch_ahead);
  EXPECT_GE(large.tiles * 14, 49);  // read once for all pixels
  EXPECT_EQ(float_ahead_lines(1, 2), 8);
  EXPECT_EQ(float_ahead_lines(4, 2), 2);
  EXPECT_EQ(float_ahead_lines(100, 2), 1);
}

TEST(FloatPlan, ChoosesOurKernelForFewPixelsAndStridedWindows) {
  const auto own = [](const char* text, bool residual = false) {
    return prefer_own_float_conv(parse_conv_desc(text), residual);
  };
  EXPECT_TRUE(own("n1h7w7c512_k512r3s3_st1_pad1,1,1,1"));
  EXPECT_TRUE(own("n1h1w1c2048_k1000r1s1_st1_pad0,0,0,0"));
  EXPECT_TRUE(own("n1h55w55c256_k512r1s1_st2_pad0,0,0,0"));
  EXPECT_TRUE(own("n1h14w14c256_k1024r1s1_st1_pad0,0,0,0"));
  EXPECT_FALSE(own("n1h14w14c384_k384r1s1_st1_pad0,0,0,0"));
  EXPECT_FALSE(own("n1h55w55c64_k256r1s1_st1_pad0,0,0,0"));
  EXPECT_TRUE(own("n1h55w55c64_k256r1s1_st1_pad0,0,0,0", true)) << "with a residual";
  EXPECT_FALSE(own("n1h56w56c64_k64r3s3_st1_pad1,1,1,1", true));
  EXPECT_FALSE(own("n1h56w56c64_k64r3s3_st1_pad1,1,1,1"));
  EXPECT_FALSE(own("n1h7w7c512_dw_r3s3_st1_pad1,1,1,1"));
  EXPECT_EQ(own("n16h28w28c512_k1024r1s1_st2_pad0,0,0,0"), own("n1h28w28c512_k1024r1s1_st2_pad0,0,0,0"));
}

}  // namespace
}  // namespace gpueval::cpu
