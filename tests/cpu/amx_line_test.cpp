// SPDX-License-Identifier: Apache-2.0
// The pure parts of convolutions on matrix tiles: which positions a tile reads, which pixels it stores, depth steps.
#include "cpu/int8/amx_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cpu/int8/int8_conv.h"
#include "cpu/int8/isa.h"

namespace gpueval::cpu {
namespace {

TEST(AmxDepth, StepsCoverEveryChannelAndNoOther) {
  for (int channels = 1; channels <= 2100; ++channels) {
    const AmxDepth depth = amx_depth(channels);
    ASSERT_EQ(depth.width % 4, 0) << channels;
    ASSERT_LE(depth.width, kAmxDepth) << channels;
    ASSERT_GE(depth.chunks * depth.width, channels) << channels;
    if (depth.width > channels) {  // fewer than a step: always copied
      ASSERT_EQ(depth.chunks, 1) << channels;
      continue;
    }
    int covered = 0;
    for (int chunk = 0; chunk < depth.chunks; ++chunk) {
      const int start = depth.start(chunk, channels);
      ASSERT_GE(start, 0) << channels;
      ASSERT_LE(start, covered) << channels;
      // Channel chunk * width is the first that this step multiplies.
      ASSERT_LT(chunk * depth.width, start + depth.width) << channels;
      covered = start + depth.width;
    }
    ASSERT_EQ(covered, channels);
  }
}

// Bordered source position of output pixel (n, p, q) at kernel position (r, s), by the definition of a convolution.
void expect_line(const ConvDesc& desc) {
  const AmxLine line(desc);
  const Window& window = desc.window;
  const std::int64_t images = desc.n, plane = images * line.height() * line.width();
  std::vector<int> stored(static_cast<std::size_t>(desc.output_pixels()));
  const int rows = line.rows(images);
  const std::int64_t last = line.tap_offset(window.kernel_h - 1, window.kernel_w - 1, images);
  for (std::int64_t t = 0; t < line.tiles(images); ++t) {
    const AmxTile tile = line.tile(t, images);
    ASSERT_GE(tile.start, 0);
    ASSERT_LE(tile.start + rows - 1 + last, line.planes() * plane - 1);
    for (int i = 0; i < kAmxRows; ++i) {
      const std::int64_t pixel = tile.pixel[i];
      if (pixel < 0) continue;
      ASSERT_LT(i, rows);
      ++stored[static_cast<std::size_t>(pixel)];
      const std::int64_t n = pixel / (std::int64_t{desc.p()} * desc.q());
      const std::int64_t p = pixel / desc.q() % desc.p(), q = pixel % desc.q();
      for (int r = 0; r < window.kernel_h; ++r) {
        for (int s = 0; s < window.kernel_w; ++s) {
          const std::int64_t at = tile.start + i + line.tap_offset(r, s, images), in_plane = at % plane;
          const std::int64_t phase = at / plane, y = in_plane / line.width() % line.height();
          ASSERT_EQ(in_plane / line.width() / line.height(), n);
          const std::int64_t x = in_plane % line.width() * window.stride_w + phase % line.phases_w();
          ASSERT_EQ(y * window.stride_h + phase / line.phases_w(), p * window.stride_h + r * window.dilation_h);
          ASSERT_EQ(x, q * window.stride_w + s * window.dilation_w);
        }
      }
    }
  }
  for (const int count : stored) ASSERT_EQ(count, 1);
}

TEST(AmxLine, TilesStoreEveryPixelOnceAndReadWhatItNeeds) {
  for (const char* text :
       {"n1h1w1c64_k64r1s1_st1_pad0,0,0,0", "n3h1w1c64_k64r1s1_st1_pad0,0,0,0", "n2h7w7c64_k64r1s1_st1_pad0,0,0,0",
        "n1h7w7c64_k64r3s3_st1_pad1,1,1,1", "n3h7w7c64_k64r3s3_st1_pad1,1,1,1", "n2h14w14c64_k64r3s3_st2_pad1,1,1,1",
        "n1h15w13c64_k64r3s3_st2_pad0,1,0,1", "n2h14w14c64_k64r1s1_st2_pad0,0,0,0", "n1h9w9c64_k64r1s7_st1_pad0,0,3,3",
        "n2h9w40c64_k64r3s3_st1_pad0,0,0,0", "n1h12w12c64_k64r5s4_st3x2_pad2,1,0,2", "n2h3w3c64_k8r2s2_st3_pad0,0,0,0",
        "n1h35w20c64_k8r1s1_st1x3_pad0,0,1,1", "n2h19w19c64_k8r3s3_st1_dil6_pad6,6,6,6",
        "n2h9w11c64_k8r2s3_st1_dil3x1_pad0,0,1,1", "n1h5w6c64_k8r3s3_st1_dil12_pad12,12,12,12"}) {
    SCOPED_TRACE(text);
    expect_line(parse_conv_desc(text));
    if (HasFailure()) return;
  }
}

// In the merged line an output pixel's kernel row r starts stride_w * c bytes a position behind its row's border.
TEST(AmxLine, MergedColumnsHoldWholeKernelRows) {
  for (const char* text :
       {"n2h30w30c3_k64r7s7_st2_pad3,3,3,3", "n1h15w13c3_k8r3s3_st2_pad0,1,0,1", "n2h14w14c3_k8r3s3_st1_pad1,1,1,1",
        "n1h12w12c4_k8r5s4_st3x2_pad2,1,0,2", "n1h9w20c1_k8r1s2_st1x3_pad0,0,0,0"}) {
    SCOPED_TRACE(text);
    const ConvDesc desc = parse_conv_desc(text), merged = merge_columns(desc);
    expect_line(merged);
    ASSERT_EQ(merged.q(), desc.q());
    ASSERT_EQ(merged.p(), desc.p());
    const int row_pixels = AmxLine(merged).width() * desc.window.stride_w;
    ASSERT_GE(row_pixels, (desc.q() - 1) * desc.window.stride_w + desc.window.kernel_w);
    ASSERT_EQ(AmxLine(merged).phases_w(), 1);
  }
}

TEST(AmxLine, CopiesOnlyWhatTilesCannotReadInPlace) {
  const auto in_place = [](const char* text) { return AmxLine(parse_conv_desc(text)).in_place(); };
  EXPECT_TRUE(in_place("n1h7w7c64_k64r1s1_st1_pad0,0,0,0"));
  EXPECT_TRUE(in_place("n1h7w7c65_k64r1s1_st1_pad0,0,0,0"));  // the last step overlaps
  EXPECT_TRUE(in_place("n1h7w7c48_k64r3s3_st1_pad0,0,0,0"));
  EXPECT_FALSE(in_place("n1h7w7c47_k64r1s1_st1_pad0,0,0,0"));
  EXPECT_FALSE(in_place("n1h7w7c64_k64r1s1_st2_pad0,0,0,0"));
  EXPECT_FALSE(in_place("n1h7w7c64_k64r3s3_st1_pad1,1,1,1"));
}

// A convolution with zero weights and a shape's default kernel at this level.
std::string chosen(const char* text, const std::string& level) {
  const ConvDesc desc = parse_conv_desc(text);
  const std::vector<std::int8_t> weights(static_cast<std::size_t>(desc.k * desc.depth()));
  const std::vector<float> one(static_cast<std::size_t>(desc.k), 1.0f);
  return make_int8_conv({.desc = desc, .weights = weights, .m = one, .b = one, .residual = {}}, level)->kernel();
}

TEST(AmxChoice, VectorsRunWhatTilesDoNotPayFor) {
  EXPECT_TRUE(amx_pays(parse_conv_desc("n1h14w14c256_k256r3s3_st1_pad1,1,1,1")));
  EXPECT_TRUE(amx_pays(parse_conv_desc("n1h56w56c64_k64r1s1_st1_pad0,0,0,0")));
  EXPECT_TRUE(amx_pays(parse_conv_desc("n1h56w56c16_k64r3s3_st1_pad1,1,1,1")));
  EXPECT_FALSE(amx_pays(parse_conv_desc("n1h56w56c16_k64r1s1_st1_pad0,0,0,0")));
  EXPECT_FALSE(amx_pays(parse_conv_desc("n1h1w1c2048_k1000r1s1_st1_pad0,0,0,0")));
  EXPECT_FALSE(amx_pays(parse_conv_desc("n4h1w1c2048_k1000r1s1_st1_pad0,0,0,0")));
  EXPECT_TRUE(amx_pays(parse_conv_desc("n16h1w1c2048_k1000r1s1_st1_pad0,0,0,0")));
  EXPECT_TRUE(amx_pays(parse_conv_desc("n1h30w30c3_k64r7s7_st2_pad3,3,3,3")));
  EXPECT_FALSE(amx_pays(parse_conv_desc("n1h30w30c3_k24r7s7_st2_pad3,3,3,3")));
  EXPECT_FALSE(amx_pays(parse_conv_desc("n1h30w30c3_k64r3s3_st2_pad0,1,0,1")));
  EXPECT_FALSE(amx_pays(parse_conv_desc("n1h30w30c3_k64r7s7_st1_dil2_pad6,6,6,6")));
  EXPECT_FALSE(amx_pays(parse_conv_desc("n1h30w30c3_k64r1s1_st1_pad0,0,0,0")));
  EXPECT_FALSE(amx_pays(parse_conv_desc("n1h14w14c64_dw_r3s3_st1_pad1,1,1,1")));
  if (!usable(Isa::kAmx)) GTEST_SKIP() << "this CPU has no amx";
  EXPECT_EQ(chosen("n1h14w14c64_k64r3s3_st1_pad1,1,1,1", "amx"), "conv_s8_amx");
  EXPECT_EQ(chosen("n1h30w30c3_k64r7s7_st2_pad3,3,3,3", "amx"), "conv_first_s8_amx");
  EXPECT_EQ(chosen("n1h30w30c3_k64r3s3_st2_pad0,1,0,1", "amx"), "conv_first_s8_avx512_vnni");
  EXPECT_EQ(chosen("n1h14w14c64_dw_r3s3_st1_pad1,1,1,1", "conv_s8_amx"), "depthwise_s8_avx512_vnni");
}

}  // namespace
}  // namespace gpueval::cpu
