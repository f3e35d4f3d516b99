// SPDX-License-Identifier: Apache-2.0
#include "gpueval/roofline.h"

#include <gtest/gtest.h>

namespace gpueval {
namespace {

const DeviceRoofs kRoofs{.device = "cpu", .unit = "test", .int8_gops = 1000, .f32_gflops = 200, .copy_gbs = 10};

LayerInfo convolution(const char* shape, std::int64_t bytes, std::int64_t weight_bytes) {
  const ConvDesc desc = parse_conv_desc(shape);
  return {.name = "l",
          .op = "Conv2D",
          .shape = shape,
          .ops = 2 * desc.multiply_adds(),
          .bytes = bytes,
          .weight_bytes = weight_bytes};
}

TEST(Roofline, NumbersOfALayer) {
  // 2 x 14 x 14 x 256 x 256 = 25.69 million operations.
  const LayerInfo layer = convolution("n1h14w14c256_k256r1s1_st1_pad0,0,0,0", 100'352 + 65'536, 65'536);
  const LayerProfile one = profile_layer(layer, true, 1, 0.1, 0.5, kRoofs, 2);
  EXPECT_NEAR(one.gops, 256.9, 0.1);
  EXPECT_NEAR(one.compute_percent, 25.69, 0.01);
  EXPECT_NEAR(one.gbs, 1.65888, 1e-5);
  EXPECT_NEAR(one.memory_percent, 16.5888, 1e-4);
  EXPECT_NEAR(one.intensity, 25'690'112.0 / 165'888, 1e-3);
  const LayerProfile eight = profile_layer(layer, true, 8, 0.8, 0.5, kRoofs, 2);
  EXPECT_NEAR(eight.gops, one.gops, 1e-6);
  EXPECT_NEAR(eight.gbs, (8 * 100'352 + 65'536) / 0.8e6, 1e-6) << "a batch reads the weights once";
  EXPECT_NEAR(profile_layer(layer, false, 1, 0.1, 0.5, kRoofs, 2).compute_percent, 128.45, 0.01);
}

TEST(Roofline, IsNeverBelowALayer) {
  DeviceRoofs roofs = kRoofs;
  LayerInfo layer = convolution("n1h14w14c256_k256r1s1_st1_pad0,0,0,0", 100'352 + 65'536, 65'536);
  raise_roof(layer, true, 1, 0.1, roofs);  // 257 of 1000 GOPS
  EXPECT_EQ(roofs.int8_gops, 1000);
  EXPECT_TRUE(roofs.remarks.empty());
  raise_roof(layer, false, 1, 0.1, roofs);  // 257 of 200
  EXPECT_NEAR(roofs.f32_gflops, 256.9, 0.1);
  raise_roof(layer, false, 2, 0.1, roofs);
  EXPECT_NEAR(roofs.f32_gflops, 513.8, 0.1);
  ASSERT_EQ(roofs.remarks.size(), 1u);
  EXPECT_TRUE(roofs.remarks[0].starts_with("float32: layer l was faster")) << roofs.remarks[0];
  EXPECT_NEAR(profile_layer(layer, false, 2, 0.1, 0.5, roofs, 2).compute_percent, 100, 1e-6);
  layer.kernel = "winograd_f32_avx512";  // multiplies less than is counted
  raise_roof(layer, false, 8, 0.1, roofs);
  EXPECT_NEAR(roofs.f32_gflops, 513.8, 0.1);
}

TEST(Roofline, RemarksOnlyOnSlowLayersThatMatter) {
  const LayerInfo layer = convolution("n1h56w56c64_k64r3s3_st1_pad1,1,1,1", 500'000, 36'864);
  EXPECT_NE(profile_layer(layer, true, 1, 1.0, 0.5, kRoofs, 2).remark, "");
  EXPECT_EQ(profile_layer(layer, true, 1, 1.0, 0.01, kRoofs, 2).remark, "") << "1% of the time";
  EXPECT_EQ(profile_layer(layer, true, 1, 0.3, 0.5, kRoofs, 2).remark, "") << "77% of the roof";
}

TEST(Roofline, RemarksNameTheReason) {
  const auto remark = [](const LayerInfo& layer, double ms) {
    return profile_layer(layer, true, 1, ms, 0.5, kRoofs, 2).remark;
  };
  EXPECT_TRUE(remark(convolution("n1h112w112c32_dw_r3s3_st1_pad1,1,1,1", 800'000, 288), 0.2).starts_with("depthwise:"));
  EXPECT_TRUE(remark(convolution("n1h1w1c4096_k1000r1s1_st1_pad0,0,0,0", 4'100'000, 4'096'000), 0.5)
                  .starts_with("memory-bound:"));
  EXPECT_TRUE(
      remark(convolution("n1h224w224c3_k32r3s3_st2_pad0,1,0,1", 550'000, 864), 1.0).starts_with("too few channels: 3"));
  EXPECT_TRUE(
      remark(convolution("n1h7w7c512_k512r3s3_st1_pad1,1,1,1", 50'000, 1), 3.0).starts_with("tail: 49 output pixels"));
  EXPECT_TRUE(remark(convolution("n1h16w16c16_k16r1s1_st1_pad0,0,0,0", 8'000, 256), 0.01).starts_with("launch: 10 us"));
  EXPECT_TRUE(remark(convolution("n1h56w56c32_k32r1s1_st1_pad0,0,0,0", 200'000, 1024), 1.0)
                  .starts_with("short sums: 32 products"));
  EXPECT_TRUE(remark(convolution("n1h56w56c64_k64r3s3_st1_pad1,1,1,1", 500'000, 36'864), 1.0)
                  .starts_with("compute-bound below its roof: 23%"));
  const LayerInfo pool{.name = "p", .op = "MaxPool", .shape = "1x56x56x64", .bytes = 1'000'000};
  EXPECT_TRUE(remark(pool, 0.1).starts_with("memory-bound: no products, only 10.0 GB/s"));
}

TEST(Roofline, OfAGpuNamesMultiprocessors) {
  DeviceRoofs roofs = kRoofs;
  roofs.multiprocessors = 132;
  const auto remark = [&](const char* shape) {
    return profile_layer(convolution(shape, 50'000, 1), true, 1, 6.0, 0.5, roofs, 2).remark;
  };
  EXPECT_TRUE(remark("n1h56w56c64_k64r3s3_st1_pad1,1,1,1").starts_with("tail: 3136 output pixels for 132 multiproc"));
  EXPECT_TRUE(remark("n8h56w56c64_k64r3s3_st1_pad1,1,1,1").starts_with("compute-bound below its roof"));
}

TEST(Roofline, HasNoneForTf32AndFloat16) {
  LayerInfo layer = convolution("n1h14w14c256_k256r1s1_st1_pad0,0,0,0", 100'352 + 65'536, 65'536);
  DeviceRoofs roofs = kRoofs;
  for (const char* kernel : {"cudnn_tf32:1", "cublaslt_f16", "conv_f16"}) {
    layer.kernel = kernel;
    const LayerProfile profile = profile_layer(layer, false, 1, 0.1, 0.5, roofs, 2);
    EXPECT_EQ(profile.compute_percent, 0) << kernel;
    EXPECT_EQ(profile.remark, "") << kernel;
    EXPECT_NEAR(profile.memory_percent, 16.5888, 1e-4) << kernel;
    raise_roof(layer, false, 1, 0.1, roofs);
    EXPECT_EQ(roofs.f32_gflops, 200) << kernel;
  }
}

TEST(Roofline, RoofsOfThisCpu) {
  const DeviceRoofs roofs = measure_roofs("cpu");
  EXPECT_GT(roofs.int8_gops, 0);
  EXPECT_GT(roofs.f32_gflops, 0);
  EXPECT_GT(roofs.copy_gbs, 0);
}

}  // namespace
}  // namespace gpueval
