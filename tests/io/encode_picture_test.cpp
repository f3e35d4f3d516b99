// SPDX-License-Identifier: Apache-2.0
#include "io/data/encode_picture.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "gpueval/dataset.h"

namespace gpueval {
namespace {

// Left half of one colour, right half of another.
Image two_halves(int height, int width) {
  Image image{height, width, {}};
  for (int i = 0; i < height * width; ++i) {
    const bool left = i % width < width / 2;
    for (const int value : {left ? 200 : 20, 100, left ? 30 : 220})
      image.rgb.push_back(static_cast<std::uint8_t>(value));
  }
  return image;
}

TEST(EncodePicture, ShrunkKeepsTheShape) {
  const Image small = shrunk(two_halves(60, 120), 40);
  EXPECT_EQ(small.height, 20);
  EXPECT_EQ(small.width, 40);
  EXPECT_EQ(small.rgb.size(), 20u * 40 * 3);
  EXPECT_EQ(small.rgb.front(), 200);
  EXPECT_EQ(small.rgb.back(), 220);
  EXPECT_EQ(shrunk(two_halves(60, 120), 120).width, 120);
  EXPECT_EQ(shrunk(two_halves(1, 1000), 10).height, 1);
  const LabelMap map = shrunk(LabelMap{2, 4, {0, 1, 2, 3, 4, 5, 6, 7}}, 1, 2);
  EXPECT_EQ(map.classes, (std::vector<std::uint8_t>{5, 7}));
}

TEST(EncodePicture, JpegDecodesToThePicture) {
  const Image image = two_halves(32, 64);
  const Image back = decode_jpeg(encode_jpeg(image, 90), "test");
  ASSERT_EQ(back.rgb.size(), image.rgb.size());
  for (const std::size_t i : {std::size_t{0}, image.rgb.size() - 3}) {
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(back.rgb[i + c], image.rgb[i + c], 6) << i + c;
  }
}

TEST(EncodePicture, OverlayHasTheColoursOfItsClasses) {
  std::array<TranslucentColor, 256> colors{};
  colors[3] = {10, 20, 30, 255};
  colors[255] = {250, 240, 230, 255};
  const Image back = decode_png(encode_overlay({1, 2, {3, 255}}, colors), "test");
  EXPECT_EQ(back.rgb, (std::vector<std::uint8_t>{10, 20, 30, 250, 240, 230}));
}

}  // namespace
}  // namespace gpueval
