// SPDX-License-Identifier: Apache-2.0
// The reference itself, against sums worked out by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "reference/reference.h"

namespace gpueval::reference {
namespace {

QuantTensor tensor(DType type, const Shape& shape, const std::vector<int>& values) {
  QuantTensor t(type, shape);
  for (std::size_t i = 0; i < values.size(); ++i) t.set(static_cast<std::int64_t>(i), values[i]);
  return t;
}
std::vector<int> values(const QuantTensor& t) {
  std::vector<int> out;
  for (std::int64_t i = 0; i < t.shape.elements(); ++i) out.push_back(t.at(i));
  return out;
}
using Ints = std::vector<int>;

TEST(Reference, RoundsTiesToEvenAndClampsFirst) {
  EXPECT_EQ(round_clamped(0.5f, 0, 255), 0);
  EXPECT_EQ(round_clamped(1.5f, 0, 255), 2);
  EXPECT_EQ(round_clamped(2.5f, 0, 255), 2);
  EXPECT_EQ(round_clamped(-2.5f, -127, 127), -2);
  EXPECT_EQ(round_clamped(-0.6f, -127, 127), -1);
  EXPECT_EQ(round_clamped(254.5f, 0, 255), 254);
  EXPECT_EQ(round_clamped(300.0f, 0, 254.5f), 254);  // the cut of a ReLU6
  EXPECT_EQ(round_clamped(3e9f, -127, 127), 127);
  EXPECT_EQ(round_clamped(-3e9f, -127, 127), -127);
}

TEST(Reference, ConvPadsWithZerosAndStrides) {
  // 3x3 image 1..9, kernel 2x2 of (1 10 / 100 -1), padding 1 on top and left, stride 2: outputs at (-1,-1), (-1,1),
  // (1,-1), (1,1).
  const QuantTensor src = tensor(DType::kU8, {1, 3, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const std::vector<std::int8_t> weights = {1, 10, 100, -1};
  const std::vector<float> one = {1}, zero = {0};
  const ConvParams params{
      .desc = parse_conv_desc("n1h3w3c1_k1r2s2_st2_pad1,0,1,0"), .weights = weights, .m = one, .b = zero};
  EXPECT_EQ(conv_accumulators(src, params), (std::vector<std::int32_t>{-1, 197, 33, 5 + 60 + 800 - 9}));
}

TEST(Reference, ConvSumsChannelsOfEachOutput) {
  // One pixel (1, -2, 3); two outputs with weights (1, 2, 3) and (-1, 0, 5).
  const QuantTensor src = tensor(DType::kS8, {1, 1, 1, 3}, {1, -2, 3});
  const std::vector<std::int8_t> weights = {1, 2, 3, -1, 0, 5};
  const std::vector<float> m = {0.5f, 0.25f}, b = {1.0f, -6.0f};
  ConvParams params{.desc = parse_conv_desc("n1h1w1c3_k2r1s1_st1_pad0,0,0,0"),
                    .weights = weights,
                    .m = m,
                    .b = b,
                    .lo = -127,
                    .hi = 127};
  EXPECT_EQ(conv_accumulators(src, params), (std::vector<std::int32_t>{6, 14}));
  EXPECT_EQ(values(conv(src, params, DType::kS8)), (Ints{4, -2}));  // -2.5 ties to even
  params.lo = 0;
  EXPECT_EQ(values(conv(src, params, DType::kU8)), (Ints{4, 0}));
  EXPECT_EQ(conv_f32(src, params), (std::vector<float>{4.0f, 0.0f}));
  const QuantTensor residual = tensor(DType::kS8, {1, 1, 1, 2}, {-10, 10});
  params.residual = &residual;
  params.residual_scale = 0.5f;
  EXPECT_EQ(values(conv(src, params, DType::kU8)), (Ints{0, 2}));  // 4 - 5 and -2.5 + 5 = 2.5
}

TEST(Reference, DepthwiseKeepsChannelsApart) {
  // 1x3 image of 2 channels, kernel 1x3 (1 2 3 for channel 0, -1 0 1 for channel 1), SAME padding.
  const QuantTensor src = tensor(DType::kU8, {1, 1, 3, 2}, {1, 10, 2, 20, 3, 30});
  const std::vector<std::int8_t> weights = {1, -1, 2, 0, 3, 1};
  const std::vector<float> one = {1, 1}, zero = {0, 0};
  const ConvParams params{
      .desc = parse_conv_desc("n1h1w3c2_dw_r1s3_st1_pad0,0,1,1"), .weights = weights, .m = one, .b = zero};
  EXPECT_EQ(conv_accumulators(src, params), (std::vector<std::int32_t>{8, 20, 14, 20, 8, -20}));
}

TEST(Reference, EpilogueUsesOneRounding) {
  // acc * m + b with a product that float32 cannot hold: fmaf keeps the 1, two roundings would lose it.
  const QuantTensor src = tensor(DType::kU8, {1, 1, 1, 1}, {255});
  const std::vector<std::int8_t> weights = {127};
  const float m = 1.0f + 0x1p-23f;
  const std::vector<float> scale = {m}, b = {-32385.0f};
  const ConvParams params{.desc = parse_conv_desc("n1h1w1c1_k1r1s1_st1_pad0,0,0,0"),
                          .weights = weights,
                          .m = scale,
                          .b = b,
                          .lo = -1,
                          .hi = 1};
  EXPECT_EQ(conv_f32(src, params)[0], 32385 * 0x1p-23f);
}

TEST(Reference, MaxPoolIgnoresPaddedTaps) {
  const QuantTensor src = tensor(DType::kS8, {1, 2, 2, 1}, {-5, -6, -7, -8});
  const Window window{.kernel_h = 2, .kernel_w = 2, .pad = {1, 0, 1, 0}};
  EXPECT_EQ(values(max_pool(src, window, 1.0f, DType::kS8)), (Ints{-5, -5, -5, -5}));
  EXPECT_EQ(values(max_pool(src, {.kernel_h = 1, .kernel_w = 1, .pad = {}}, 0.5f, DType::kS8)), (Ints{-2, -3, -4, -4}));
}

TEST(Reference, AvgPoolDividesByRealPixels) {
  const QuantTensor src = tensor(DType::kU8, {1, 2, 2, 1}, {10, 20, 30, 41});
  const Window window{.kernel_h = 2, .kernel_w = 2, .pad = {1, 0, 1, 0}};
  const std::vector<float> m = {1.0f, 0.5f, 1.0f / 3, 0.25f};
  EXPECT_EQ(values(avg_pool(src, window, m, DType::kU8)), (Ints{10, 15, 20, 25}));
  EXPECT_EQ(global_avg_pool_f32(src, 0.25f), (std::vector<float>{25.25f}));
  EXPECT_EQ(values(global_avg_pool(src, 0.5f, DType::kS8)), (Ints{50}));
}

// (10 - 20) (7 - 4) = -30, (255 - 20) (250 - 4), ...; the mean of what is above 20 is 5.25.
TEST(Reference, ZeroPointsOfProductsAndAverages) {
  QuantTensor a = tensor(DType::kU8, {1, 1, 1, 3}, {10, 255, 20}), b = tensor(DType::kU8, {1, 1, 1, 3}, {7, 250, 9});
  a.zero_point = 20, b.zero_point = 4;
  EXPECT_EQ(values(binary(BinaryKind::kMultiply, a, 0.5f, b, 0, DType::kU8, 100)), (Ints{85, 255, 100}));
  QuantTensor src = tensor(DType::kU8, {1, 2, 2, 1}, {10, 20, 30, 41});
  src.zero_point = 20;
  EXPECT_EQ(values(global_avg_pool(src, 0.25f, DType::kU8, 3)), (Ints{8}));
  EXPECT_EQ(global_avg_pool_f32(src, 0.25f), (std::vector<float>{5.25f}));
  const std::vector<float> m = {1.0f, 0.5f, 1.0f / 3, 0.25f};
  const Window window{.kernel_h = 2, .kernel_w = 2, .pad = {1, 0, 1, 0}};
  EXPECT_EQ(values(avg_pool(src, window, m, DType::kU8, 30)), (Ints{20, 25, 30, 35}));
}

// Both taps of the first output, one of them padded: (20 + 7) of weights 3 and 2.
TEST(Reference, PaddedTapsHoldTheZeroPoint) {
  QuantTensor src = tensor(DType::kU8, {1, 1, 1, 1}, {7});
  src.zero_point = 20;
  const std::vector<std::int8_t> weights{3, 2};
  const std::vector<float> m{1.0f}, b{0.0f};
  const ConvDesc desc{.h = 1, .w = 1, .c = 1, .k = 1, .window = {.kernel_h = 1, .kernel_w = 2, .pad = {0, 0, 1, 0}}};
  EXPECT_EQ(conv_accumulators(src, {.desc = desc, .weights = weights, .m = m, .b = b}),
            (std::vector<std::int32_t>{74}));
}

TEST(Reference, ElementwiseOperations) {
  const QuantTensor a = tensor(DType::kU8, {1, 1, 1, 3}, {10, 0, 255}),
                    b = tensor(DType::kS8, {1, 1, 1, 3}, {-3, 5, 100});
  EXPECT_EQ(values(add(a, 0.5f, b, 2.0f, 0, 127, DType::kS8)), (Ints{0, 10, 127}));
  EXPECT_EQ(values(requantize(b, 0.5f, -127, 127, DType::kS8)), (Ints{-2, 2, 50}));
  const std::vector<float> m = {0.5f, -2.0f, 1.0f}, offset = {0.0f, 0.5f, 100.0f};
  EXPECT_EQ(values(affine(b, m, offset, -127, 127, DType::kS8)), (Ints{-2, -10, 127}));  // -1.5, -9.5: ties to even
  EXPECT_EQ(affine_f32(b, m, offset, -5.0f), (std::vector<float>{-1.5f, -5.0f, 200.0f}));
  const std::vector<float> x = {0.25f, 0.75f, -1.25f, 500.0f};
  EXPECT_EQ(values(quantize(x, {1, 1, 1, 4}, 0.5f, DType::kS8)), (Ints{0, 2, -2, 127}));
  EXPECT_EQ(values(quantize(x, {1, 1, 1, 4}, 0.5f, DType::kU8)), (Ints{0, 2, 0, 255}));
  EXPECT_EQ(max_abs(x), 500.0f);
}

TEST(Reference, TablesSlopesAndPairs) {
  const QuantTensor a = tensor(DType::kS8, {1, 1, 2, 2}, {10, -3, 127, -127}),
                    b = tensor(DType::kU8, {1, 1, 1, 2}, {4, 255});
  std::vector<std::uint8_t> table(256);
  table[10] = 1, table[0xfd] = 2, table[0x7f] = 3, table[0x81] = 250;
  EXPECT_EQ(values(lookup(a, table, DType::kU8)), (Ints{1, 2, 3, 250}));
  const std::vector<float> m = {0.5f, 0.5f}, slopes = {0.25f, -0.5f};
  EXPECT_EQ(values(prelu(a, m, slopes, DType::kS8)), (Ints{5, 2, 64, 64}));  // 1.5, 63.5 and 63.5: ties to even
  // b is repeated
  EXPECT_EQ(values(binary(BinaryKind::kAdd, a, 0.5f, b, 0.25f, DType::kS8)), (Ints{6, 62, 64, 0}));
  EXPECT_EQ(values(binary(BinaryKind::kSubtract, b, 0.25f, a, 0.5f, DType::kU8)), (Ints{0, 65, 0, 127}));
  EXPECT_EQ(values(binary(BinaryKind::kMultiply, a, 0.125f, b, 0, DType::kS8)), (Ints{5, -96, 64, -127}));
  EXPECT_EQ(values(binary(BinaryKind::kMaximum, a, 1, b, 0.1f, DType::kS8)), (Ints{10, 26, 127, 26}));
  EXPECT_EQ(values(binary(BinaryKind::kMinimum, a, 1, b, 0.1f, DType::kS8)), (Ints{0, -3, 0, -127}));
}

}  // namespace
}  // namespace gpueval::reference
