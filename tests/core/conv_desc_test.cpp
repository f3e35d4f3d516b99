// SPDX-License-Identifier: Apache-2.0
#include "gpueval/conv_desc.h"

#include <gtest/gtest.h>

#include "gpueval/error.h"

namespace gpueval {
namespace {

TEST(ConvDesc, TextFormRoundTrips) {
  for (const char* text : {"n1h56w56c64_k64r3s3_st1_pad1,1,1,1", "n8h17w17c192_k192r1s7_st1_pad0,0,3,3",
                           "n1h112w112c32_dw_r3s3_st2_pad0,1,0,1", "n1h9w8c3_k5r2s3_st2x1_pad0,0,1,0",
                           "n1h9w8c12_k30g6r2s3_st1_pad0,0,1,0", "n1h19w19c512_k1024r3s3_st1_dil6_pad6,6,6,6",
                           "n1h9w8c12_dw_r2s3_st1_dil1x3_pad0,0,1,0"}) {
    EXPECT_EQ(to_string(parse_conv_desc(text)), text);
  }
}

TEST(ConvDesc, CountsOutputsAndWork) {
  const ConvDesc conv = parse_conv_desc("n1h224w224c3_k64r7s7_st2_pad3,3,3,3");
  EXPECT_EQ(conv.p(), 112);
  EXPECT_EQ(conv.depth(), 147);
  EXPECT_EQ(conv.multiply_adds(), std::int64_t{112} * 112 * 64 * 147);
  const ConvDesc depthwise = parse_conv_desc("n2h112w112c32_dw_r3s3_st1_pad1,1,1,1");
  EXPECT_EQ(depthwise.k, 32);
  EXPECT_EQ(depthwise.multiply_adds(), std::int64_t{2} * 112 * 112 * 32 * 9);
  const ConvDesc grouped = parse_conv_desc("n1h5w5c12_k30g6r3s3_st1_pad1,1,1,1");
  EXPECT_EQ(grouped.group_channels(), 2);
  EXPECT_EQ(grouped.multiply_adds(), 25 * 30 * 18);
  const ConvDesc dilated = parse_conv_desc("n1h9w8c3_k2r3s2_st1_dil4x5_pad0,0,1,0");
  EXPECT_EQ(dilated.p(), 1);
  EXPECT_EQ(dilated.q(), 4);
}

TEST(ConvDesc, BadTextIsNamedInTheError) {
  for (const char* text :
       {"", "n1h56", "n1h56w56c64_k64r3s3_st1_pad1,1,1", "n0h5w5c4_k4r1s1_st1_pad0,0,0,0",
        "n1h5w5c4_k4r1s1_st1_pad0,0,0,0x", "n1h2w2c4_k4r3s3_st1_pad0,0,0,0", "n1h5w5c4_k6g4r1s1_st1_pad0,0,0,0",
        "n1h9w9c4_k4r3s3_st1_dil5_pad0,0,0,0", "n1h9w9c4_k4r3s3_st1_dil0_pad0,0,0,0"}) {
    try {
      parse_conv_desc(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    }
  }
}

// TensorFlow: the smaller half goes first.
TEST(SamePaddingOf, IsAsymmetric) {
  EXPECT_EQ(same_padding(224, 3, 2).before, 0);
  EXPECT_EQ(same_padding(224, 3, 2).after, 1);
  EXPECT_EQ(same_padding(7, 3, 1).before, 1);
  EXPECT_EQ(same_padding(7, 3, 1).after, 1);
  EXPECT_EQ(same_padding(5, 1, 2).after, 0);
  EXPECT_EQ(same_padding(149, 3, 2).before, 1);
}

}  // namespace
}  // namespace gpueval
