// SPDX-License-Identifier: Apache-2.0
// The demo's pictures are the same bytes everywhere: the trained weights depend on them.
#include <array>
#include <thread>

#include "support/data_files.h"

namespace gpueval {
namespace {

std::string pictures_hash(const std::string& split, std::size_t count) {
  const auto demo = open_demo(split, count);
  Sha256 sum;
  for (std::size_t i = 0; i < count; ++i) {
    const Image image = demo->decode(i);
    sum.update(std::as_bytes(std::span(image.rgb)));
    sum.update(std::string_view(fmt::format("{}\n", demo->label(i))));
  }
  return sum.hex();
}

TEST(Demo, PicturesAreTheOnesTheNetworkWasTrainedOn) {
  EXPECT_EQ(pictures_hash("train", 50), "6cbafbc1530ecf53b6708bc3c765a2ccadc794ea556e8a0d75c4ee66a684a359");
  EXPECT_EQ(pictures_hash("test", 50), "c6befda61bce82efd916e3a6108b5c4def7c6c7e2c94b0082f9812561d11a6e7");
}

TEST(Demo, SplitsAreDisjointAndOrderDoesNotMatter) {
  EXPECT_NE(pictures_hash("train", 5), pictures_hash("calibration", 5));
  EXPECT_NE(pictures_hash("test", 5), pictures_hash("calibration", 5));
  const auto demo = open_demo("test", 100);
  const Image last = demo->decode(99);
  demo->decode(3);
  EXPECT_EQ(demo->decode(99).rgb, last.rgb);
  EXPECT_EQ(last.height, 96);
  EXPECT_EQ(last.width, 96);
}

TEST(Demo, ClassesAreBalanced) {
  const auto demo = open_dataset("demo", "");
  EXPECT_EQ(demo->size(), 2000u);
  EXPECT_EQ(demo->kind(), "demo");
  std::array<int, 10> counts{};
  for (std::size_t i = 0; i < demo->size(); ++i) ++counts.at(static_cast<std::size_t>(demo->label(i)));
  for (const int count : counts) {
    EXPECT_GT(count, 150);
    EXPECT_LT(count, 250);
  }
}

TEST(Demo, DecodesOnSeveralThreadsAtOnce) {
  const auto demo = open_demo("test", 64);
  std::array<std::vector<std::uint8_t>, 64> parallel;
  std::vector<std::jthread> workers;
  for (std::size_t t = 0; t < 4; ++t) {
    workers.emplace_back([&, t] {
      for (std::size_t i = t; i < 64; i += 4) parallel[i] = demo->decode(i).rgb;
    });
  }
  workers.clear();
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(parallel[i], demo->decode(i).rgb) << i;
}

TEST(Demo, UnknownSplitAndIndexAreErrors) {
  EXPECT_NE(test::error_of([] { open_demo("holdout", 1); }).find("'holdout', expected train"), std::string::npos);
  EXPECT_THROW(open_demo("test", 3)->decode(3), Error);
  EXPECT_THROW(open_demo("test", 3)->label(3), Error);
}

}  // namespace
}  // namespace gpueval
