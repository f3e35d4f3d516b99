// SPDX-License-Identifier: Apache-2.0
#include "task/chance_warning.h"

#include <gtest/gtest.h>

#include "task/statistics.h"

namespace gpueval {
namespace {

// Summed as fractions of whole numbers.
TEST(ChanceWarning, BinomialTails) {
  EXPECT_NEAR(binomial_at_most(0, 16, 0.25), 0.010022595757618546, 1e-15);
  EXPECT_NEAR(binomial_at_most(30, 60, 0.5), 0.5512890865042848, 1e-13);
  EXPECT_NEAR(binomial_at_most(3, 60, 0.003), 0.9999654615101943, 1e-13);
  EXPECT_NEAR(binomial_at_most(160, 500, 0.25), 0.9998240193887383, 1e-13);
  EXPECT_EQ(binomial_at_most(-1, 5, 0.25), 0);
  EXPECT_EQ(binomial_at_most(5, 5, 0.25), 1);
}

bool warns(std::int64_t top1, std::int64_t images, int classes, std::int64_t one_below = 0) {
  return chance_warning({"float32", images, top1, one_below, classes}).has_value();
}

TEST(ChanceWarning, GuessingIsSaid) {
  EXPECT_TRUE(warns(0, 60, 1000));
  EXPECT_TRUE(warns(50, 50000, 1000));   // 0.1%
  EXPECT_TRUE(warns(600, 50000, 1000));  // 1.2%
  EXPECT_TRUE(warns(200, 2000, 10));     // 10%
  EXPECT_TRUE(warns(1000, 2000, 2));
  const auto text = chance_warning({"float32", 60, 0, 0, 1000});
  ASSERT_TRUE(text);
  for (const char* cause :
       {"float32 has top-1 0.00% on 60 images of 1000 classes", "devkit", "red and blue", "preprocessing"})
    EXPECT_NE(text->find(cause), std::string::npos) << *text;
}

TEST(ChanceWarning, ANetworkThatKnowsSomethingIsNotAccused) {
  EXPECT_FALSE(warns(28, 60, 1000));
  EXPECT_FALSE(warns(2500, 50000, 1000));  // 5%
  EXPECT_FALSE(warns(1900, 2000, 10));
  EXPECT_FALSE(warns(600, 2000, 10));
  EXPECT_FALSE(warns(1300, 2000, 2));
}

TEST(ChanceWarning, FewImagesProveNothing) {
  for (const std::int64_t images : {0, 1, 2, 5, 10, 15}) EXPECT_FALSE(warns(0, images, 1000)) << images;
  EXPECT_FALSE(warns(0, 8, 10));
  EXPECT_FALSE(warns(2, 4, 2));
  EXPECT_FALSE(warns(3, 30, 1000));  // 10%: an unlucky draw of a poor network
  EXPECT_FALSE(warns(0, 100, 1));    // one class: nothing to guess
}

TEST(ChanceWarning, LabelsThatCountFromOneAreTold) {
  const auto text = chance_warning({"float32", 500, 9, 282, 1000});
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("it would be 56.40% if every class id were one lower: the labels seem to count from 1"),
            std::string::npos)
      << *text;
  EXPECT_TRUE(warns(1500, 50000, 1000, 25000));  // above guessing, as neighbouring classes are alike
  EXPECT_FALSE(warns(25000, 50000, 1000, 1500));
  EXPECT_TRUE(warns(3, 30, 1000, 15));
  EXPECT_FALSE(warns(2, 5, 1000, 3)) << "too few to tell";
  const auto flipped = chance_warning({"float32", 2000, 200, 900, 2});
  ASSERT_TRUE(flipped);
  EXPECT_EQ(flipped->find("count from 1"), flipped->find("count from 1 and follow")) << *flipped;
}

}  // namespace
}  // namespace gpueval
