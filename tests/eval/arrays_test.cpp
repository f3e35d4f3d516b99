// SPDX-License-Identifier: Apache-2.0
// Elements of arrays reach the network in place of pictures, in their order, without those that hold no numbers.
#include <gtest/gtest.h>

#include <algorithm>

#include "fakes.h"
#include "gpueval/accuracy.h"

namespace gpueval {
namespace {

// Element i of 1 x 2 x channels is bytes from 10 i on.
class FakeArrays : public test::FakeDataset {
 public:
  FakeArrays(std::size_t count, int channels, std::set<std::size_t> corrupt = {})
      : FakeDataset(count), shape_{1, 1, 2, channels}, corrupt_(std::move(corrupt)) {}
  std::string kind() const override { return "npy"; }
  std::optional<ArrayForm> array() const override { return ArrayForm{shape_, true}; }
  void read(std::size_t index, std::span<float> dst) const override {
    if (corrupt_.contains(index)) throw BadImage("holds NaN");
    for (std::size_t i = 0; i < dst.size(); ++i) dst[i] = static_cast<float>(10 * index + i);
  }

 private:
  Shape shape_;
  std::set<std::size_t> corrupt_;
};

std::vector<float> all_of(const Dataset& data, const Preprocessing& preprocessing, std::vector<SkippedImage>& skipped) {
  const auto source = image_source(data, preprocessing, 0, data.size(), &skipped);
  std::vector<float> all, batch;
  while (source(batch, 2) > 0) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

TEST(Arrays, ComeAsTheyAreInOrder) {
  for (const int channels : {1, 2, 3, 5}) {
    const FakeArrays data(5, channels, {2});
    std::vector<SkippedImage> skipped;
    const InputSpec input{1, 2, Normalization::kTf, channels};
    const std::vector<float> all = all_of(data, make_preprocessing(input, data), skipped);
    std::vector<float> expected;
    for (const int element : {0, 1, 3, 4}) {
      for (int i = 0; i < 2 * channels; ++i) expected.push_back(static_cast<float>(10 * element + i));
    }
    EXPECT_EQ(all, expected) << channels;
    ASSERT_EQ(skipped.size(), 1u) << channels;
    EXPECT_EQ(skipped[0].index, 2u);
    EXPECT_EQ(skipped[0].reason, "holds NaN");
  }
}

TEST(Arrays, AreNormalizedWhereThatIsChosen) {
  const FakeArrays data(3, 3);
  std::vector<SkippedImage> skipped;
  const PreprocessingChoice choice{.normalization = Normalization::kUnit};
  const std::vector<float> all = all_of(data, make_preprocessing({1, 2, {}, 3}, data, choice), skipped);
  ASSERT_EQ(all.size(), 18u);
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(all[i], static_cast<float>(10 * (i / 6) + i % 6) / 255.0f) << i;
}

// Timing needs no data of the network's kind.
TEST(Arrays, SyntheticOnesHaveEveryChannel) {
  for (const int channels : {2, 4, 7}) {
    const auto data = open_synthetic(6, 5, 3, 1, channels);
    ASSERT_TRUE(data->array());
    std::vector<SkippedImage> skipped;
    const std::vector<float> all = all_of(*data, make_preprocessing({6, 5, {}, channels}, *data), skipped);
    ASSERT_EQ(all.size(), std::size_t{3} * 6 * 5 * static_cast<std::size_t>(channels));
    for (const float value : all) ASSERT_TRUE(value >= -1 && value <= 1);
    for (int c = 0; c < channels; ++c) {
      std::set<float> values;
      for (std::size_t i = static_cast<std::size_t>(c); i < all.size(); i += static_cast<std::size_t>(channels))
        values.insert(all[i]);
      EXPECT_GT(values.size(), 10u) << "channel " << c << " of " << channels;
    }
  }
  for (const int channels : {1, 3}) EXPECT_FALSE(open_synthetic(6, 5, 3, 1, channels)->array()) << channels;
}

}  // namespace
}  // namespace gpueval
