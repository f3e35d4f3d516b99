// SPDX-License-Identifier: Apache-2.0
// When outputs may be rounded before they are clamped. If this said yes too often, large sums would wrap around.
#include "cpu/int8/make_epilogue.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

namespace gpueval::cpu {
namespace {

Epilogue epilogue(float m, float b, DType dst = DType::kU8, float lo = 0, float hi = 255) {
  const std::vector<std::int8_t> weights(64, -127);
  const std::array<float, 1> scale = {m}, bias = {b};
  return make_epilogue({.desc = parse_conv_desc("n1h1w1c64_k1r1s1_st1_pad0,0,0,0"),
                        .dst = dst,
                        .weights = weights,
                        .m = scale,
                        .b = bias,
                        .lo = lo,
                        .hi = hi,
                        .residual = {}});
}

TEST(MakeEpilogue, IsInRangeOnlyWhereNoSumCanPassAnInt32) {
  // 64 * 127 * 255 = 2072640 times 518 is just below 2^30, times 519 above.
  EXPECT_TRUE(epilogue(518, 0).in_range);
  EXPECT_FALSE(epilogue(519, 0).in_range);
  EXPECT_FALSE(epilogue(-519, 0).in_range);
  EXPECT_FALSE(epilogue(1, 1.1e9f).in_range);
  EXPECT_FALSE(epilogue(1, -1.1e9f).in_range);
  EXPECT_FALSE(epilogue(std::numeric_limits<float>::quiet_NaN(), 0).in_range);
  EXPECT_FALSE(epilogue(1, 0, DType::kF32).in_range);
  EXPECT_FALSE(with_dynamic_scale(epilogue(1, 0)).in_range);
}

TEST(MakeEpilogue, ResidualCountsInTheRange) {
  const std::vector<std::int8_t> weights(1, 1);
  const std::array<float, 1> one = {1.0f};
  Int8ConvParams params{.desc = parse_conv_desc("n1h1w1c1_k1r1s1_st1_pad0,0,0,0"),
                        .weights = weights,
                        .m = one,
                        .b = one,
                        .residual = DType::kU8,
                        .residual_scale = 1.0f};
  EXPECT_TRUE(make_epilogue(params).in_range);
  params.residual_scale = 1e7f;
  EXPECT_FALSE(make_epilogue(params).in_range);
}

TEST(MakeEpilogue, BytesAreClampedOnlyWherePackingDoesNot) {
  EXPECT_FALSE(epilogue(1, 0).clamp_bytes);
  const Epilogue relu6 = epilogue(1, 0, DType::kU8, 0, 200.5f);  // ties to even
  EXPECT_TRUE(relu6.clamp_bytes);
  EXPECT_EQ(relu6.low_byte, 0);
  EXPECT_EQ(relu6.high_byte, 200);
  const Epilogue s8 = epilogue(1, 0, DType::kS8, -127, 127);  // packing would leave -128
  EXPECT_TRUE(s8.clamp_bytes);
  EXPECT_EQ(static_cast<std::int8_t>(s8.low_byte), -127);
  EXPECT_EQ(s8.high_byte, 127);
}

// The weights of a depthwise convolution have the channel last.
TEST(MakeEpilogue, AddsUpTheWeightsOfEachChannel) {
  const std::vector<std::int8_t> weights = {127, 1, 127, 1, 127, 1, 127, 1};
  const std::array<float, 2> m = {1.0f, 20000.0f}, b = {};
  Int8ConvParams params{
      .desc = parse_conv_desc("n1h2w2c2_dw_r2s2_st1_pad0,0,0,0"), .weights = weights, .m = m, .b = b, .residual = {}};
  EXPECT_TRUE(make_epilogue(params).in_range);  // channel 1: 4 * 255 * 20000
  params.desc = parse_conv_desc("n1h1w1c4_k2r1s1_st1_pad0,0,0,0");
  EXPECT_FALSE(make_epilogue(params).in_range);  // channel 1: 256 * 255 * 20000
}

}  // namespace
}  // namespace gpueval::cpu
