// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/input_bytes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace gpueval::cuda {
namespace {

const Normalization kNormalizations[] = {Normalization::kNone,
                                         Normalization::kTf,
                                         Normalization::kCaffe,
                                         Normalization::kTorch,
                                         Normalization::kUnit,
                                         Normalization::mean_std({0, 255, -1e6f}, {1, 255, 1e6f}),
                                         Normalization::mean_std({3.7f, 3.6f, 3.5f}, {1, 1, 1.0001f})};

// More pixels than one piece of the work.
std::vector<float> values_of(const PixelTable& table) {
  std::vector<float> values;
  for (std::size_t i = 0; i < 3u * 400'000; ++i) values.push_back(table.values[i % 3][(i * 7 + i / 3) % 256]);
  return values;
}

TEST(InputBytes, AreThoseOfTheValues) {
  for (const Normalization& normalization : kNormalizations) {
    const PixelTable table = pixel_table(normalization);
    const std::vector<float> values = values_of(table);
    std::vector<std::uint8_t> bytes(values.size());
    ASSERT_TRUE(to_bytes(values, table, bytes)) << to_string(normalization);
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(table.values[i % 3][bytes[i]], values[i]) << i;
  }
}

TEST(InputBytes, AreNoneOfAnythingElse) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const Normalization& normalization : kNormalizations) {
    const PixelTable table = pixel_table(normalization);
    std::vector<float> values = values_of(table);
    std::vector<std::uint8_t> bytes(values.size());
    for (const std::size_t at : {std::size_t{0}, values.size() / 2, values.size() - 1}) {
      const auto& channel = table.values[at % 3];
      const float real = values[at], step = channel[255] - channel[254];
      for (const float other : {std::nextafter(real, kInfinity), std::nextafter(real, -kInfinity), channel[0] - step,
                                channel[255] + step, real + step / 2, std::nanf(""), kInfinity, -kInfinity, 3e38f}) {
        values[at] = other;
        EXPECT_FALSE(to_bytes(values, table, bytes)) << to_string(normalization) << ": " << other << " at " << at;
      }
      values[at] = real;
    }
    EXPECT_TRUE(to_bytes(values, table, bytes));
  }
  // Equal, but not to the bit.
  std::vector<float> zero(3, -0.0f);
  std::vector<std::uint8_t> bytes(3);
  EXPECT_FALSE(to_bytes(zero, pixel_table(Normalization::kNone), bytes));
}

}  // namespace
}  // namespace gpueval::cuda
