// SPDX-License-Identifier: Apache-2.0
// Every row of src/cpu/int8/kernels.inc on every shape must give the bits of src/reference/, and write nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "cpu/int8/isa.h"
#include "cpu/int8_case.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "support/conv_shapes.h"

namespace gpueval {

void PrintTo(const KernelInfo& kernel, std::ostream* out) {
  *out << kernel.name;
}  // names the test, found by GoogleTest

}  // namespace gpueval

namespace gpueval::cpu {
namespace {

void expect_exact(const Int8Case& c, const std::string& kernel) {
  const std::unique_ptr<Int8Conv> conv = c.make(kernel);
  bool damaged = false;
  const std::vector<std::uint8_t> out = c.run(*conv, &damaged);
  EXPECT_EQ(c.compare(out, c.expected()), "") << c.describe(conv->kernel());
  EXPECT_FALSE(damaged) << "bytes outside the destination changed: " << c.describe(conv->kernel());
}

class Int8Kernel : public testing::TestWithParam<KernelInfo> {
 protected:
  void SetUp() override {
    if (!GetParam().usable) GTEST_SKIP() << "this CPU has no " << GetParam().isa;
  }
  // A forced row that does not apply falls to another one, which has its own turn.
  bool applies(const ConvDesc& desc) const { return int8_kernel_applies(GetParam(), desc); }
  // Sources of both types, with and without a residual, every other one with gaps between the pixels.
  void expect_exact_of_types(const ConvDesc& desc, std::initializer_list<DType> destinations,
                             std::uint64_t& seed) const {
    for (const DType src : {DType::kU8, DType::kS8}) {
      for (const DType dst : destinations) {
        for (const std::optional<DType> residual : {std::optional<DType>(), std::optional(DType::kS8)}) {
          const int gap = seed % 2 == 0 ? 5 : 0;
          expect_exact(Int8Case(desc, {.src = src,
                                       .dst = dst,
                                       .residual = residual,
                                       .dynamic_scale = {},
                                       .src_gap = gap,
                                       .dst_gap = gap,
                                       .residual_gap = gap,
                                       .seed = seed++}),
                       GetParam().name);
        }
      }
    }
  }
};

TEST_P(Int8Kernel, MatchesReferenceOnListedShapes) {
  std::uint64_t seed = 1;
  for (const char* text : kConvShapes) {
    const ConvDesc desc = parse_conv_desc(text);
    if (!applies(desc)) continue;
    for (const DType src : {DType::kU8, DType::kS8}) {
      for (const DType dst : {DType::kU8, DType::kS8, DType::kF32}) {
        for (const std::optional<DType> residual :
             {std::optional<DType>(), std::optional(DType::kU8), std::optional(DType::kS8)}) {
          const bool gaps = seed % 2 == 0;
          expect_exact(Int8Case(desc, {.src = src,
                                       .dst = dst,
                                       .residual = residual,
                                       .dynamic_scale = std::nullopt,
                                       .src_gap = gaps ? 5 : 0,
                                       .dst_gap = gaps ? 3 : 0,
                                       .residual_gap = gaps ? 7 : 0,
                                       .seed = seed}),
                       GetParam().name);
          ++seed;
        }
      }
    }
  }
}

TEST_P(Int8Kernel, Groups) {
  std::uint64_t seed = 1;
  for (const char* text : {"n2h7w6c24_k36g3r3s3_st1_pad1,1,1,1", "n1h6w5c40_k40g10r1s1_st1_pad0,0,0,0",
                           "n3h9w9c12_k20g4r3s3_st2_pad0,1,0,1", "n1h1w1c64_k80g2r1s1_st1_pad0,0,0,0"}) {
    const ConvDesc desc = parse_conv_desc(text);
    if (GetParam().op == "depthwise" || !applies(desc)) continue;
    for (const DType src : {DType::kU8, DType::kS8}) {
      for (const DType dst : {DType::kU8, DType::kF32}) {
        for (const std::optional<DType> residual : {std::optional<DType>(), std::optional(DType::kS8)}) {
          expect_exact(Int8Case(desc, {.src = src,
                                       .dst = dst,
                                       .residual = residual,
                                       .dynamic_scale = {},
                                       .src_gap = 5,
                                       .dst_gap = 3,
                                       .residual_gap = 7,
                                       .seed = seed++}),
                       GetParam().name);
        }
      }
    }
  }
}

// Few and many channels, SAME and VALID, rates beyond the map, rows or columns alone, in groups.
TEST_P(Int8Kernel, Dilations) {
  std::uint64_t seed = 1;
  for (const char* text : {"n2h19w17c36_k18r3s3_st1_dil6_pad6,6,6,6", "n1h9w8c35_k70r3s3_st1_dil2_pad0,0,0,0",
                           "n2h7w9c3_k20r3s3_st1_dil12_pad12,12,12,12", "n1h9w10c7_k5r2s4_st1_dil3x2_pad1,2,0,5",
                           "n1h11w12c20_k12r1s3_st1_dil1x4_pad0,0,4,4", "n2h8w9c24_k36g3r3s3_st1_dil2_pad2,2,2,2",
                           "n2h19w17c68_dw_r3s3_st1_dil6_pad6,6,6,6", "n1h13w14c70_dw_r3s3_st1_dil2_pad0,0,0,0",
                           "n1h7w9c16_dw_r3s3_st1_dil12_pad12,12,12,12", "n1h11w12c130_dw_r3s3_st1_dil3x1_pad3,3,1,1",
                           "n1h11w12c33_dw_r3s3_st1_dil1x4_pad1,0,4,4", "n2h12w15c37_dw_r5s4_st1_dil2x3_pad3,5,0,4"}) {
    const ConvDesc desc = parse_conv_desc(text);
    if (!applies(desc)) continue;
    expect_exact_of_types(desc, {DType::kU8, DType::kF32}, seed);
  }
}

// Windows of several groups of rows, rows of more columns than are kept at a time, a window of more than that.
TEST_P(Int8Kernel, LargeDepthwiseWindows) {
  std::uint64_t seed = 1;
  for (const char* text : {"n1h6w9c70_dw_r5s5_st1_pad2,2,2,2", "n1h5w120c11_dw_r5s5_st2_pad1,2,1,2",
                           "n2h8w60c44_dw_r7s7_st1_pad3,3,3,3", "n1h40w41c3_dw_r37s38_st1_pad1,0,2,1"}) {
    const ConvDesc desc = parse_conv_desc(text);
    if (!applies(desc)) continue;
    for (const DType src : {DType::kU8, DType::kS8}) {
      for (const std::optional<DType> residual : {std::optional<DType>(), std::optional(DType::kU8)}) {
        expect_exact(
            Int8Case(desc, {.src = src, .residual = residual, .dynamic_scale = {}, .src_gap = 2, .seed = seed++}),
            GetParam().name);
      }
    }
  }
}

TEST_P(Int8Kernel, SaturatesByClampingBeforeRounding) {
  for (const char* text :
       {"n1h7w7c64_k80r3s3_st1_pad1,1,1,1", "n1h9w9c3_k32r3s3_st1_pad1,1,1,1", "n1h7w7c72_dw_r3s3_st1_pad1,1,1,1"}) {
    const ConvDesc desc = parse_conv_desc(text);
    if (!applies(desc)) continue;
    for (const DType src : {DType::kU8, DType::kS8}) {
      for (const DType dst : {DType::kU8, DType::kS8}) {
        for (const float saturation : {20.0f, 1e9f}) {  // 1e9: far beyond what an int32 holds
          expect_exact(
              Int8Case(desc, {.src = src, .dst = dst, .residual = {}, .dynamic_scale = {}, .saturation = saturation}),
              GetParam().name);
        }
      }
    }
  }
}

TEST_P(Int8Kernel, TakesDynamicScale) {
  for (const char* text : {"n1h6w6c40_k70r3s3_st1_pad1,1,1,1", "n1h9w9c3_k32r3s3_st1_pad1,1,1,1",
                           "n1h7w7c72_dw_r3s3_st1_pad1,1,1,1", "n1h7w7c16_dw_r3s3_st1_pad1,1,1,1"}) {
    const ConvDesc desc = parse_conv_desc(text);
    if (!applies(desc)) continue;
    expect_exact(Int8Case(desc, {.src = DType::kS8, .dst = DType::kF32, .residual = {}, .dynamic_scale = 0.00123f}),
                 GetParam().name);
  }
}

TEST_P(Int8Kernel, BatchOfSevenEqualsSevenImages) {
  for (const char* text : {"n7h7w7c64_k96r1s1_st1_pad0,0,0,0", "n7h6w5c20_k32r3s3_st2_pad1,1,1,1",
                           "n7h9w9c3_k24r3s3_st2_pad0,1,0,1", "n7h7w7c32_dw_r3s3_st1_pad1,1,1,1"}) {
    const ConvDesc desc = parse_conv_desc(text);
    if (!applies(desc)) continue;
    const Int8Case c(desc, {.src = DType::kS8, .dst = DType::kS8, .residual = {}, .dynamic_scale = {}});
    const std::unique_ptr<Int8Conv> conv = c.make(GetParam().name);
    bool damaged = false;
    const std::vector<std::uint8_t> whole = c.run(*conv, &damaged);
    std::vector<std::uint8_t> parts(whole.size());
    const std::size_t in = c.src.bytes.size() / 7, out = whole.size() / 7;
    for (std::size_t i = 0; i < 7; ++i) {
      conv->run({.n = 1,
                 .src = c.src.bytes.data() + i * in,
                 .src_pitch = desc.c,
                 .dst = parts.data() + i * out,
                 .dst_pitch = desc.k,
                 .residual = nullptr,
                 .residual_pitch = 0,
                 .scale = std::nullopt});
    }
    EXPECT_EQ(whole, parts) << c.describe(GetParam().name);
    EXPECT_EQ(c.compare(whole, c.expected()), "") << c.describe(GetParam().name);
  }
}

TEST_P(Int8Kernel, SameBitsForAnyThreadsAndAgain) {
  for (const char* text : {"n1h14w14c64_k200r3s3_st1_pad1,1,1,1", "n1h1w1c300_k130r1s1_st1_pad0,0,0,0",
                           "n1h33w33c3_k24r3s3_st2_pad0,1,0,1", "n2h7w7c200_dw_r3s3_st1_pad1,1,1,1"}) {
    const ConvDesc desc = parse_conv_desc(text);
    if (!applies(desc)) continue;
    const Int8Case c(desc, {.src = DType::kS8, .dst = DType::kU8, .residual = {}, .dynamic_scale = {}});
    const std::unique_ptr<Int8Conv> conv = c.make(GetParam().name);
    const std::vector<std::uint8_t> want = c.expected();
    for (const int count : {1, 2, 3, 2}) {
      set_threads(count);
      bool damaged = false;
      EXPECT_EQ(c.compare(c.run(*conv, &damaged), want), "") << c.describe(GetParam().name) << " threads " << count;
      EXPECT_FALSE(damaged);
    }
    set_threads(0);
  }
}

ConvDesc random_desc(Random& random, const std::string& op) {
  ConvDesc d;
  d.n = random.integer(1, 2);
  d.depthwise = op == "depthwise";
  const bool winograd = op == "winograd";
  d.window.kernel_h = winograd ? 3 : random.integer(1, 5);
  d.window.kernel_w = winograd ? 3 : random.integer(op == "conv_first" ? 2 : 1, 5);
  d.window.stride_h = winograd ? 1 : random.integer(1, 3);
  d.window.stride_w = winograd ? 1 : random.integer(1, 3);
  d.window.pad = {random.integer(0, 2), random.integer(0, 2), random.integer(0, 2), random.integer(0, 2)};
  d.h = random.integer(d.window.kernel_h, 12);
  d.w = random.integer(d.window.kernel_w, 12);
  d.c = op == "conv_first" ? random.integer(1, 4) : random.integer(1, 100);
  d.k = d.depthwise ? d.c : random.integer(1, 150);
  return d;
}

TEST_P(Int8Kernel, MatchesReferenceOnRandomShapes) {
  constexpr std::uint64_t kSeed = 20260;
  Random random(kSeed);
  const DType types[] = {DType::kU8, DType::kS8, DType::kF32};
  for (int i = 0; i < 200; ++i) {
    const ConvDesc desc = random_desc(random, GetParam().op);
    CaseOptions options;
    options.src = types[random.integer(0, 1)];
    options.dst = types[random.integer(0, 2)];
    if (random.integer(0, 2) == 0) options.residual = types[random.integer(0, 1)];
    if (random.integer(0, 5) == 0) options.dynamic_scale = 0.004f;
    if (random.integer(0, 1) == 0) {
      options.src_gap = random.integer(0, 9);
      options.dst_gap = random.integer(0, 9);
      options.residual_gap = random.integer(0, 9);
    }
    options.seed = kSeed + static_cast<std::uint64_t>(i);
    ASSERT_TRUE(applies(desc));
    expect_exact(Int8Case(desc, options), GetParam().name);
    if (HasFailure()) return;
  }
}

TEST_P(Int8Kernel, ZeroWeightsGiveBias) {
  const char* text =
      GetParam().op == "depthwise" ? "n1h5w5c70_dw_r3s3_st1_pad1,1,1,1" : "n1h5w5c3_k70r3s3_st1_pad1,1,1,1";
  Int8Case c(parse_conv_desc(text), {.src = DType::kS8, .dst = DType::kS8, .residual = {}, .dynamic_scale = {}});
  std::fill(c.weights.begin(), c.weights.end(), std::int8_t{0});
  bool damaged = false;
  const std::vector<std::uint8_t> out = c.run(*c.make(GetParam().name), &damaged);
  for (std::size_t i = 0; i < out.size(); ++i) {
    ASSERT_EQ(static_cast<std::int8_t>(out[i]), reference::round_clamped(c.b[i % 70], c.lo, c.hi)) << i;
  }
}

TEST_P(Int8Kernel, IdentityWeightsCopyTheSource) {
  const bool depthwise = GetParam().op == "depthwise";
  ConvDesc desc = parse_conv_desc(depthwise ? "n1h4w5c37_dw_r1s1_st1_pad0,0,0,0" : "n1h4w5c37_k37r1s1_st1_pad0,0,0,0");
  if (!applies(desc)) GTEST_SKIP() << "1x1 is not a first layer";
  Int8Case c(desc, {.src = DType::kS8, .dst = DType::kS8, .residual = {}, .dynamic_scale = {}});
  for (std::size_t i = 0; i < c.weights.size(); ++i) c.weights[i] = depthwise || i % 38 == 0 ? 1 : 0;
  std::fill(c.m.begin(), c.m.end(), 1.0f);
  std::fill(c.b.begin(), c.b.end(), 0.0f);
  c.lo = -127;
  c.hi = 127;
  bool damaged = false;
  EXPECT_EQ(c.run(*c.make(GetParam().name), &damaged), c.src.bytes);
}

TEST_P(Int8Kernel, PermutedOutputChannelsPermuteTheOutput) {
  const ConvDesc desc = parse_conv_desc("n1h5w6c3_k77r3s3_st1_pad1,1,1,1");
  if (!applies(desc)) GTEST_SKIP() << "depthwise has no free output channels";
  const Int8Case c(desc, {.src = DType::kU8, .dst = DType::kU8, .residual = {}, .dynamic_scale = {}});
  Int8Case moved = c;
  const auto target = [](std::size_t k) { return k * 10 % 77; };
  for (std::size_t k = 0; k < 77; ++k) {
    std::copy_n(c.weights.begin() + static_cast<std::ptrdiff_t>(k * 27), 27,
                moved.weights.begin() + static_cast<std::ptrdiff_t>(target(k) * 27));
    moved.m[target(k)] = c.m[k];
    moved.b[target(k)] = c.b[k];
  }
  bool damaged = false;
  const auto out = c.run(*c.make(GetParam().name), &damaged);
  const auto permuted = moved.run(*moved.make(GetParam().name), &damaged);
  for (std::size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], permuted[i / 77 * 77 + target(i % 77)]) << i;
}

INSTANTIATE_TEST_SUITE_P(Table, Int8Kernel, testing::ValuesIn(int8_kernels()),
                         [](const testing::TestParamInfo<KernelInfo>& kernel) { return kernel.param.name; });

// Tiles cut at the edges, source pixels far outside of the image, several chunks of tiles, rows of few vectors.
TEST_P(Int8Kernel, TilesOf3x3Windows) {
  std::uint64_t seed = 1;
  for (const char* text :
       {"n3h1w1c16_k16r3s3_st1_pad1,1,1,1", "n2h5w9c33_k48r3s3_st1_pad0,0,0,0", "n2h11w7c80_k67r3s3_st1_pad0,2,1,0",
        "n1h6w7c60_k16r3s3_st1_pad2,2,2,2", "n1h43w45c7_k9r3s3_st1_pad1,1,1,1", "n1h3w4c5_k130r3s3_st1_pad6,5,5,7"}) {
    const ConvDesc desc = parse_conv_desc(text);
    if (!applies(desc)) continue;
    expect_exact_of_types(desc, {DType::kU8, DType::kS8, DType::kF32}, seed);
  }
}

// Sums at the end of the range in which Winograd's algorithm is exact, and beyond it: then the depth is cut into parts.
TEST_P(Int8Kernel, LargestSums) {
  if (GetParam().op != "winograd") GTEST_SKIP() << "of Winograd's rows";
  for (const char* text : {"n1h5w6c115_k3r3s3_st1_pad1,1,1,1", "n1h5w6c116_k3r3s3_st1_pad1,1,1,1",
                           "n1h5w6c350_k17r3s3_st1_pad0,0,0,0", "n1h4w5c1791_k2r3s3_st1_pad0,0,0,0"}) {
    for (const DType src : {DType::kU8, DType::kS8}) {
      for (const int pattern : {0, 1, 2}) {  // all alike; signs by tap; signs by channel
        Int8Case c(parse_conv_desc(text), {.src = src, .dst = DType::kF32, .residual = {}, .dynamic_scale = {}});
        const auto channels = static_cast<std::size_t>(c.desc.c);
        const auto other = [&](std::size_t i) {
          return pattern == 1 ? i / channels % 2 == 1 : pattern == 2 && i % channels % 2 == 1;
        };
        for (std::size_t i = 0; i < c.weights.size(); ++i) c.weights[i] = other(i) ? -127 : 127;
        for (std::size_t i = 0; i < c.src.bytes.size(); ++i)
          c.src.bytes[i] = src == DType::kU8 ? (other(i) ? 0 : 255) : (other(i) ? 128 : 127);
        std::fill(c.m.begin(), c.m.end(), 1.0f);
        std::fill(c.b.begin(), c.b.end(), 0.0f);
        expect_exact(c, GetParam().name);
      }
    }
  }
}

TEST(Int8Conv, ForcedRowFallsToTheSameIsa) {
  const Int8Case c(parse_conv_desc("n1h5w5c8_dw_r3s3_st1_pad1,1,1,1"), {});
  EXPECT_EQ(c.make("conv_s8_portable")->kernel(), "depthwise_s8_portable");
  EXPECT_EQ(c.make("portable")->kernel(), "depthwise_s8_portable");
  const Int8Case first(parse_conv_desc("n1h5w5c3_k8r3s3_st1_pad1,1,1,1"), {});
  EXPECT_EQ(first.make("portable")->kernel(), "conv_first_s8_portable");
  EXPECT_EQ(first.make("conv_s8_portable")->kernel(), "conv_s8_portable");
}

// Large maps, or batches, that read eight times the weights often enough.
TEST(Int8Conv, WinogradRunsWhereItPays) {
  const auto kernel = [](const char* shape) { return Int8Case(parse_conv_desc(shape), {}).make("avx2")->kernel(); };
  if (std::find(usable_isas().begin(), usable_isas().end(), Isa::kAvx2) == usable_isas().end())
    GTEST_SKIP() << "this CPU has no AVX2";
  EXPECT_EQ(kernel("n1h56w56c64_k64r3s3_st1_pad1,1,1,1"), "winograd_s8_avx2");
  EXPECT_EQ(kernel("n1h7w7c64_k64r3s3_st1_pad1,1,1,1"), "conv_s8_avx2");
  EXPECT_EQ(kernel("n16h7w7c64_k64r3s3_st1_pad1,1,1,1"), "winograd_s8_avx2");
  EXPECT_EQ(kernel("n1h56w56c16_k64r3s3_st1_pad1,1,1,1"), "conv_s8_avx2");
  EXPECT_EQ(kernel("n1h56w56c64_k64r3s3_st2_pad1,1,1,1"), "conv_s8_avx2");
  EXPECT_EQ(kernel("n1h56w56c64_k64r3s3_st1_dil2_pad2,2,2,2"), "conv_s8_avx2");
}

TEST(Int8Conv, UnknownKernelIsAUsageErrorThatNamesIt) {
  const Int8Case c(parse_conv_desc("n1h5w5c8_k8r1s1_st1_pad0,0,0,0"), {});
  try {
    c.make("conv_s8_abacus");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("conv_s8_abacus"), std::string::npos);
  }
}

TEST(Int8Conv, DepthThatCouldOverflowIsAnError) {
  ConvDesc desc = parse_conv_desc("n1h1w1c66312_k1r1s1_st1_pad0,0,0,0");
  const std::vector<std::int8_t> weights(66312);
  const std::vector<float> one(1, 1.0f);
  Int8ConvParams params{.desc = desc, .weights = weights, .m = one, .b = one, .residual = {}};
  EXPECT_THROW(make_int8_conv(params), Error);
  params.desc.c = 66311;  // 66311 * 127 * 255 < 2^31
  params.weights = params.weights.first(66311);
  EXPECT_NO_THROW(make_int8_conv(params));
}

TEST(Int8Conv, EnvironmentForcesTheIsa) {
  ASSERT_EQ(setenv("GPUEVAL_CPU_ISA", "portable", 1), 0);
  EXPECT_EQ(best_isa(), "portable");
  ASSERT_EQ(setenv("GPUEVAL_CPU_ISA", "mmx", 1), 0);
  EXPECT_THROW(best_isa(), Error);
  ASSERT_EQ(unsetenv("GPUEVAL_CPU_ISA"), 0);
}

}  // namespace
}  // namespace gpueval::cpu
