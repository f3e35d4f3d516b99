// SPDX-License-Identifier: Apache-2.0
// Every row of cuda/conv/kernels.inc on the convolutions of real networks, and the shapes that it may not refuse: a row
// cannot escape the tests by supporting nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "conv_row.h"

namespace gpueval::cuda {
namespace {

// Distinct convolutions of a network, from bench/shapes/, maps cut to at most 9 x 9.
std::vector<ConvDesc> network_shapes(const std::string& network) {
  std::ifstream in(std::string(GPUEVAL_SOURCE_DIR) + "/bench/shapes/" + network + ".txt");
  std::vector<ConvDesc> shapes;
  for (std::string line; std::getline(in, line);) {
    const std::string text = line.substr(0, line.find(' '));
    if (text.empty() || text[0] == '#') continue;
    ConvDesc desc = parse_conv_desc(text);
    desc.h = std::min(desc.h, 9);
    desc.w = std::min(desc.w, 9);
    if (std::find(shapes.begin(), shapes.end(), desc) == shapes.end()) shapes.push_back(desc);
  }
  return shapes;
}

class ConvNetworks : public ConvRow {
 protected:
  void expect_exact_on(const std::string& network, std::size_t least) {
    const std::vector<ConvDesc> shapes = network_shapes(network);
    ASSERT_GE(shapes.size(), least);
    std::uint64_t seed = 1;
    int exact = 0;
    for (const ConvDesc& desc : shapes) {
      ++seed;
      exact += expect_exact(desc, {.src = seed % 3 == 0 ? DType::kS8 : DType::kU8,
                                   .dst = desc.k == 1000 ? DType::kF32 : DType::kU8,
                                   .residual = {},
                                   .layout = desc.c <= 4 ? Layout::kTight : Layout::kPadded,
                                   .seed = seed})
                   ? 1
                   : 0;
    }
    RecordProperty("exact", exact);
  }
};

TEST_P(ConvNetworks, MatchReferenceOnMobileNet) { expect_exact_on("mobilenet_0.25", 20); }
TEST_P(ConvNetworks, MatchReferenceOnSqueezeNet) { expect_exact_on("squeezenet", 17); }

// ---- what a row must support

const std::vector<const char*> kDense = {"n1h1w1c25088_k4096r1s1_st1_pad0,0,0,0", "n1h1w1c256_k1000r1s1_st1_pad0,0,0,0",
                                         "n4h1w1c4096_k1000r1s1_st1_pad0,0,0,0",
                                         "n8h1w1c2048_k1000r1s1_st1_pad0,0,0,0"};
const std::vector<const char*> kDeep = {"n1h7w7c512_k512r3s3_st1_pad1,1,1,1", "n1h7w7c512_k2048r1s1_st1_pad0,0,0,0",
                                        "n1h8w8c384_k384r1s3_st1_pad0,0,1,1", "n4h7w7c1024_k1000r1s1_st1_pad0,0,0,0",
                                        "n1h1w1c25088_k4096r1s1_st1_pad0,0,0,0"};
const std::vector<const char*> kAny = {
    "n64h56w56c64_k64r3s3_st1_pad1,1,1,1",    "n1h17w17c192_k224r1s7_st1_pad0,0,3,3",
    "n1h17w17c192_k224r7s1_st1_pad3,3,0,0",   "n8h35w35c48_k64r5s5_st1_pad2,2,2,2",
    "n1h56w56c64_k128r3s3_st2_pad0,1,0,1",    "n1h19w19c728_k728r1s1_st1_pad0,0,0,0",
    "n1h56w56c256_k128r1s1_st2_pad0,0,0,0",   "n1h13w13c512_k1000r1s1_st1_pad0,0,0,0",
    "n256h112w112c32_k64r1s1_st1_pad0,0,0,0", "n1h27w27c16_k8r1s1_st1_pad0,0,0,0"};
const std::vector<const char*> kFirst = {"n1h224w224c3_k8r3s3_st2_pad0,1,0,1", "n1h227w227c3_k64r3s3_st2_pad0,0,0,0",
                                         "n8h224w224c3_k64r3s3_st1_pad1,1,1,1", "n1h299w299c3_k32r3s3_st2_pad0,0,0,0",
                                         "n64h224w224c3_k64r7s7_st2_pad3,3,3,3"};
const std::vector<const char*> kDepthwise3x3 = {
    "n1h112w112c8_dw_r3s3_st1_pad1,1,1,1", "n1h112w112c16_dw_r3s3_st2_pad0,1,0,1",
    "n64h14w14c512_dw_r3s3_st1_pad1,1,1,1", "n1h19w19c728_dw_r3s3_st1_pad1,1,1,1"};
const std::vector<const char*> kDepthwise = {"n1h112w112c32_dw_r3s3_st2_pad0,1,0,1", "n1h7w7c24_dw_r5s5_st1_pad2,2,2,2",
                                             "n1h9w9c70_dw_r1s7_st1_pad0,0,3,3"};

// A kernel that is made for some shapes only says so in its name.
const std::vector<const char*>& required_shapes(const ConvKernel& kernel) {
  const std::string_view name = kernel.name;
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  if (kernel.op == ConvOp::kDepthwise) return has("3x3") ? kDepthwise3x3 : kDepthwise;
  if (kernel.op == ConvOp::kConvFirst) return kFirst;
  return has("gemv") ? kDense : has("split") ? kDeep : kAny;
}

class ConvSupport : public ConvRow {};

TEST_P(ConvSupport, TakesItsShapesWithAllTypes) {
  if (kernel().pools) GTEST_SKIP() << "TakesItsPools has its shapes";
  for (const char* text : required_shapes(kernel())) {
    const ConvDesc desc = parse_conv_desc(text);
    const int src_pitch = desc.c <= 4 ? 4 : round_up(desc.c, 16), dst_pitch = round_up(desc.k, 16);
    for (const DType src : {DType::kU8, DType::kS8}) {
      for (const DType dst : {DType::kU8, DType::kS8, DType::kF32}) {
        for (const std::optional<DType> residual :
             {std::optional<DType>(), std::optional(DType::kU8), std::optional(DType::kS8)}) {
          const ConvProblem problem{.desc = desc,
                                    .src = src,
                                    .dst = dst,
                                    .residual = residual,
                                    .src_pitch = src_pitch,
                                    .dst_pitch = dst_pitch,
                                    .residual_pitch = residual ? dst_pitch : 0};
          EXPECT_TRUE(kernel().does(problem)) << kernel().name << " " << text;
        }
      }
    }
  }
}

// Of the stems of SqueezeNet, of ResNet50's two forms and of DenseNet.
TEST_P(ConvSupport, TakesItsPools) {
  for (const char* text : kFirst) {
    const ConvDesc desc = parse_conv_desc(text);
    for (const Window& pool : {Window{3, 3, 2, 2}, Window{3, 3, 2, 2, {1, 1, 1, 1}}, Window{2, 2, 2, 2}}) {
      ConvProblem problem{.desc = desc, .residual = {}, .src_pitch = 4, .dst_pitch = round_up(desc.k, 16)};
      if (kernel().op == ConvOp::kConvFirst) {
        EXPECT_EQ(kernel().does(problem), !kernel().pools) << text;
      }
      problem.pool = pool;
      for (const DType type : {DType::kU8, DType::kS8}) {
        problem.src = problem.dst = type;
        EXPECT_EQ(kernel().does(problem), kernel().pools) << text;
      }
      problem.residual = DType::kU8;
      EXPECT_FALSE(kernel().does(problem)) << text;
      problem.residual.reset();
      problem.dst = DType::kF32;
      EXPECT_FALSE(kernel().does(problem)) << text;
    }
  }
}

TEST_P(ConvSupport, RefusesTheOtherKindOfConvolution) {
  const bool depthwise = kernel().op == ConvOp::kDepthwise;
  for (const char* text : depthwise ? kAny : kDepthwise) {
    const ConvDesc desc = parse_conv_desc(text);
    const ConvProblem problem{
        .desc = desc, .residual = {}, .src_pitch = round_up(desc.c, 16), .dst_pitch = round_up(desc.k, 16)};
    EXPECT_FALSE(kernel().does(problem)) << text;
  }
}

// For every convolution of the two networks some row must be there, whatever the rows refuse one by one, on the oldest
// GPU too.
TEST(ConvTable, CoversTheNetworks) {
  for (const char* network : {"mobilenet_0.25", "squeezenet", "resnet50", "inceptionv3", "xception", "vgg16"}) {
    for (const ConvDesc& desc : network_shapes(network)) {
      const ConvProblem problem{
          .desc = desc, .residual = {}, .src_pitch = desc.c <= 4 ? 4 : round_up(desc.c, 16), .dst_pitch = desc.k};
      const auto rows = emu::conv_kernels();
      EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [&](const ConvKernel& row) {
        return row.min_sm <= 75 && row.does(problem);
      })) << to_string(desc);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, ConvNetworks, testing::ValuesIn(all_rows()), row_name);
INSTANTIATE_TEST_SUITE_P(Table, ConvSupport, testing::ValuesIn(all_rows()), row_name);

}  // namespace
}  // namespace gpueval::cuda
