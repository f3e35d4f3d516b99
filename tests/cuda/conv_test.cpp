// SPDX-License-Identifier: Apache-2.0
// Every row of cuda/conv/kernels.inc on every shape must give the bits of src/reference/, write nothing else, leave its
// workspace zero and give the same bits again, in every order of execution.
#include <gtest/gtest.h>

#include <algorithm>

#include "conv_row.h"
#include "gpueval/error.h"
#include "support/conv_shapes.h"

namespace gpueval::cuda {
namespace {

// Types of source, destination and residual, all 18 combinations.
CaseOptions options_of(std::uint64_t seed) {
  constexpr DType kTypes[] = {DType::kU8, DType::kS8, DType::kF32};
  CaseOptions options{.src = kTypes[seed % 2], .dst = kTypes[seed / 2 % 3], .residual = {}, .seed = seed};
  if (const auto residual = seed / 6 % 3; residual > 0) options.residual = kTypes[residual - 1];
  return options;
}

TEST_P(ConvRow, MatchesReferenceOnListedShapes) {
  std::uint64_t seed = 1;
  int exact = 0;
  for (const char* text : kConvShapes) {
    const ConvDesc desc = parse_conv_desc(text);
    // All combinations on small shapes, two of them, in turn, on large ones.
    const auto count = std::clamp<std::int64_t>(400'000 / desc.multiply_adds(), 2, 18);
    for (std::int64_t i = 0; i < count; ++i, seed += 5) {  // 5 and 18 have no common factor
      CaseOptions options = options_of(seed);
      options.layout = static_cast<Layout>(seed / 3 % kLayouts);
      exact += expect_exact(desc, options) ? 1 : 0;
    }
  }
  EXPECT_GE(exact, 10) << "the kernel supports next to nothing";  // gemv: few of these are dense
}

TEST_P(ConvRow, SaturatesByClampingBeforeRounding) {
  int exact = 0;
  for (const char* text : {"n1h7w7c64_k80r3s3_st1_pad1,1,1,1", "n2h1w1c512_k80r1s1_st1_pad0,0,0,0",
                           "n1h9w9c3_k32r3s3_st1_pad1,1,1,1", "n1h7w7c72_dw_r3s3_st1_pad1,1,1,1",
                           "n1h11w15c128_dw_r3s3_st1_pad1,1,1,1", "n1h19w21c128_dw_r3s3_st2_pad0,1,0,1"}) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      CaseOptions options = options_of(seed);
      options.saturation = seed % 2 == 0 ? 20.0f : 1e9f;  // 1e9: far beyond what an int32 holds
      exact += expect_exact(parse_conv_desc(text), options) ? 1 : 0;
    }
  }
  EXPECT_GE(exact, 4);
}

TEST_P(ConvRow, TakesAScaleForEachImage) {
  std::uint64_t seed = 0;
  int exact = 0;
  for (const char* text :
       {"n3h6w6c40_k70r3s3_st1_pad1,1,1,1", "n5h1w1c400_k70r1s1_st1_pad0,0,0,0", "n3h9w9c3_k32r3s3_st1_pad1,1,1,1",
        "n3h7w7c72_dw_r3s3_st1_pad1,1,1,1", "n2h7w7c16_dw_r3s3_st2_pad1,1,1,1"}) {
    for (const DType dst : {DType::kF32, DType::kS8, DType::kU8}) {
      for (const Layout layout : {Layout::kTight, Layout::kPadded}) {
        ++seed;
        exact += expect_exact(parse_conv_desc(text),
                              {.src = DType::kS8,
                               .dst = dst,
                               .residual = seed % 2 == 0 ? std::optional(DType::kU8) : std::optional<DType>(),
                               .dynamic = true,
                               .layout = layout,
                               .seed = seed})
                     ? 1
                     : 0;
      }
    }
  }
  EXPECT_GE(exact, 3);
}

TEST_P(ConvRow, TakesFewerImagesThanPlanned) {
  std::uint64_t seed = 0;
  int exact = 0;
  for (const char* text : {"n5h6w6c40_k70r3s3_st1_pad1,1,1,1", "n7h1w1c400_k70r1s1_st1_pad0,0,0,0",
                           "n4h9w9c3_k32r3s3_st2_pad1,1,1,1", "n4h7w7c72_dw_r3s3_st1_pad1,1,1,1"}) {
    for (const int missing : {1, 3}) {
      CaseOptions options = options_of(++seed);
      options.missing_images = missing;
      exact += expect_exact(parse_conv_desc(text), options) ? 1 : 0;
    }
  }
  EXPECT_GE(exact, 2);
}

TEST_P(ConvRow, GivesTheSameBitsInEveryOrderOfExecution) {
  int orders = 0;
  for (const char* text :
       {"n2h9w9c80_k72r3s3_st1_pad1,1,1,1", "n3h1w1c700_k40r1s1_st1_pad0,0,0,0", "n1h19w21c3_k40r3s3_st2_pad0,1,0,1",
        "n1h14w14c72_dw_r3s3_st1_pad1,1,1,1", "n2h11w9c40_dw_r3s3_st2_pad0,1,0,1"}) {
    const ConvCase c =
        make_case(parse_conv_desc(text), {.src = DType::kS8, .dst = DType::kU8, .residual = DType::kS8, .seed = 3});
    if (!kernel().does(c.problem())) continue;
    const std::vector<std::uint8_t> expected = c.expected();
    for (int order = 0; order < kOrders; ++order, ++orders) {
      set_order(order, static_cast<std::uint64_t>(order) + 7);
      expect_exact_in_this_order(c, expected);
    }
  }
  EXPECT_GE(orders, kOrders);
}

TEST_P(ConvRow, BatchOfFiveEqualsFiveImages) {
  int compared = 0;
  for (const char* text : {"n5h7w7c64_k96r3s3_st1_pad1,1,1,1", "n5h1w1c512_k96r1s1_st1_pad0,0,0,0",
                           "n5h9w9c3_k24r3s3_st2_pad0,1,0,1", "n5h7w7c32_dw_r3s3_st1_pad1,1,1,1"}) {
    const ConvCase whole = make_case(parse_conv_desc(text), {.src = DType::kS8, .dst = DType::kS8, .residual = {}});
    if (!kernel().does(whole.problem())) continue;
    std::vector<std::uint8_t> parts;
    for (int i = 0; i < 5; ++i) {
      ConvCase part = whole;
      part.desc.n = 1;
      part.src = ConvCase::images_of(whole.src, i, 1);
      part.image_scale.resize(1);
      ASSERT_TRUE(kernel().does(part.problem())) << part.describe();
      const std::vector<std::uint8_t> image = output(part);
      parts.insert(parts.end(), image.begin(), image.end());
    }
    EXPECT_EQ(output(whole), parts) << whole.describe();
    ++compared;
  }
  EXPECT_GE(compared, 1);
}

// A shape that the row supports, of its kind.
const char* property_shape(const ConvKernel& kernel, const char* conv, const char* dense) {
  if (kernel.op == ConvOp::kDepthwise) return "n1h5w5c70_dw_r3s3_st1_pad1,1,1,1";
  if (kernel.op == ConvOp::kConvFirst) return "n1h5w5c3_k70r3s3_st1_pad1,1,1,1";
  const ConvCase c(parse_conv_desc(conv), {.src = DType::kS8, .dst = DType::kS8, .residual = {}});
  return kernel.does(c.problem()) ? conv : dense;
}

TEST_P(ConvRow, ZeroWeightsGiveBias) {
  const char* text = property_shape(kernel(), "n1h5w5c30_k70r3s3_st1_pad1,1,1,1", "n2h1w1c512_k70r1s1_st1_pad0,0,0,0");
  ConvCase c = make_case(parse_conv_desc(text), {.src = DType::kS8, .dst = DType::kS8, .residual = {}});
  ASSERT_TRUE(kernel().does(c.problem())) << text;
  std::fill(c.weights.begin(), c.weights.end(), std::int8_t{0});
  const std::vector<std::uint8_t> out = output(c);
  for (std::size_t i = 0; i < out.size(); ++i) {
    ASSERT_EQ(static_cast<std::int8_t>(out[i]), reference::round_clamped(c.b[i % 70], c.lo, c.hi)) << i;
  }
}

TEST_P(ConvRow, IdentityWeightsCopyTheSource) {
  if (kernel().op == ConvOp::kConvFirst) GTEST_SKIP() << "1x1 is not a first layer";
  const bool depthwise = kernel().op == ConvOp::kDepthwise;
  ConvDesc desc = parse_conv_desc(
      depthwise ? "n1h4w5c37_dw_r1s1_st1_pad0,0,0,0"
                : property_shape(kernel(), "n1h4w5c300_k300r1s1_st1_pad0,0,0,0", "n2h1w1c300_k300r1s1_st1_pad0,0,0,0"));
  ConvCase c(desc, {.src = DType::kS8, .dst = DType::kS8, .residual = {}});
  if (!kernel().does(c.problem())) GTEST_SKIP() << "no 1x1: " << c.describe();
  const auto next = static_cast<std::size_t>(desc.c + 1);
  for (std::size_t i = 0; i < c.weights.size(); ++i) c.weights[i] = depthwise || i % next == 0 ? 1 : 0;
  std::fill(c.m.begin(), c.m.end(), 1.0f);
  std::fill(c.b.begin(), c.b.end(), 0.0f);
  c.lo = -127;
  c.hi = 127;
  EXPECT_EQ(output(c), c.src.bytes);
}

TEST_P(ConvRow, PermutedOutputChannelsPermuteTheOutput) {
  if (kernel().op == ConvOp::kDepthwise) GTEST_SKIP() << "depthwise has no free output channels";
  const char* text = property_shape(kernel(), "n1h5w6c30_k77r3s3_st1_pad1,1,1,1", "n2h1w1c512_k77r1s1_st1_pad0,0,0,0");
  ConvDesc desc = parse_conv_desc(text);
  desc.k = 77;
  const ConvCase c = make_case(desc, {.src = DType::kU8, .dst = DType::kU8, .residual = {}});
  ASSERT_TRUE(kernel().does(c.problem())) << c.describe();
  ConvCase moved = c;
  const auto target = [](std::size_t k) { return k * 10 % 77; };
  const auto depth = static_cast<std::size_t>(desc.depth());
  for (std::size_t k = 0; k < 77; ++k) {
    std::copy_n(c.weights.begin() + static_cast<std::ptrdiff_t>(k * depth), depth,
                moved.weights.begin() + static_cast<std::ptrdiff_t>(target(k) * depth));
    moved.m[target(k)] = c.m[k];
    moved.b[target(k)] = c.b[k];
  }
  const auto out = output(c), permuted = output(moved);
  for (std::size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], permuted[i / 77 * 77 + target(i % 77)]) << i;
}

ConvDesc random_desc(Random& random, ConvOp op) {
  ConvDesc d;
  d.n = random.integer(1, 3);
  d.depthwise = op == ConvOp::kDepthwise;
  d.window.kernel_h = random.integer(1, 5);
  d.window.kernel_w = random.integer(op == ConvOp::kConvFirst ? 2 : 1, 5);
  d.window.stride_h = random.integer(1, 3);
  d.window.stride_w = random.integer(1, 3);
  d.window.pad = {random.integer(0, 2), random.integer(0, 2), random.integer(0, 2), random.integer(0, 2)};
  d.h = random.integer(d.window.kernel_h, 12);
  d.w = random.integer(d.window.kernel_w, 12);
  d.c = op == ConvOp::kConvFirst ? random.integer(1, 4) : random.integer(1, 130);
  d.k = d.depthwise ? d.c : random.integer(1, 150);
  if (op == ConvOp::kConv && random.integer(0, 3) == 0) {  // dense
    d.window = {};
    d.h = d.w = 1;
    d.c = random.integer(1, 2000);
  }
  return d;
}

class PooledConvRow : public ConvRow {};

// Several tiles of every remainder, each with its own rows and columns that it shares with the next.
TEST_P(PooledConvRow, PoolsAcrossTiles) {
  std::uint64_t seed = 0;
  for (const char* text : {"n1h60w58c3_k16r3s3_st1_pad1,1,1,1", "n2h71w39c3_k20r7s7_st2_pad3,3,3,3",
                           "n1h37w75c4_k66r3s3_st2_pad0,1,0,1", "n1h80w9c1_k5r2s5_st1_pad0,0,2,2"}) {
    for (std::size_t i = 0; i < test_pools().size(); ++i) {
      EXPECT_TRUE(expect_exact(parse_conv_desc(text), {.src = seed % 2 == 0 ? DType::kU8 : DType::kS8,
                                                       .dst = seed / 2 % 2 == 0 ? DType::kS8 : DType::kU8,
                                                       .residual = {},
                                                       .layout = static_cast<Layout>(seed % 3 + 1),
                                                       .seed = seed}))
          << text;
      ++seed;
    }
  }
}

TEST_P(ConvRow, MatchesReferenceOnRandomShapes) {
  constexpr std::uint64_t kSeed = 20260;
  Random random(kSeed);
  for (std::uint64_t i = 0; i < 50; ++i) {
    const ConvDesc desc = random_desc(random, kernel().op);
    CaseOptions options = options_of(random.next() % 18);
    options.dynamic = random.integer(0, 5) == 0;
    options.layout = static_cast<Layout>(random.integer(0, kLayouts - 1));
    options.missing_images = random.integer(0, desc.n - 1);
    options.seed = kSeed + i;
    expect_exact(desc, options);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, ConvRow, testing::ValuesIn(all_rows()), row_name);
INSTANTIATE_TEST_SUITE_P(Table, PooledConvRow,
                         testing::ValuesIn(rows_where([](const ConvKernel& row) { return row.pools; })), row_name);

}  // namespace
}  // namespace gpueval::cuda
