// SPDX-License-Identifier: Apache-2.0
#include "task/ranking.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

namespace gpueval {
namespace {

using Classes = std::array<std::int32_t, 5>;

TEST(Ranking, LargestFirst) {
  const Ranking ranking = rank_classes(std::vector<float>{1, 9, 3, 8, -2, 7, 6});
  EXPECT_EQ(ranking.classes, (Classes{1, 3, 5, 6, 2}));
  EXPECT_EQ(ranking.place(1), 1);
  EXPECT_EQ(ranking.place(3), 2);
  EXPECT_GT(ranking.place(2), 0);
  EXPECT_EQ(ranking.place(0), 0);
}

TEST(Ranking, LowerClassWinsTies) {
  EXPECT_EQ(rank_classes(std::vector<float>(8, 2.5f)).classes, (Classes{0, 1, 2, 3, 4}));
  EXPECT_EQ(rank_classes(std::vector<float>{0, 1, 0, 1, 0, 1, 0}).classes, (Classes{1, 3, 5, 0, 2}));
}

TEST(Ranking, FewerThanFiveClasses) {
  const Ranking ranking = rank_classes(std::vector<float>{-1, 4, 2});
  EXPECT_EQ(ranking.classes, (Classes{1, 2, 0, -1, -1}));
  EXPECT_EQ(ranking.place(-1), 0) << "the missing places are no class";
}

TEST(Ranking, NanMakesEveryClassWrong) {
  std::vector<float> logits{1, 2, 3, 4, 5, 6};
  logits[5] = std::numeric_limits<float>::quiet_NaN();
  const Ranking ranking = rank_classes(logits);
  EXPECT_TRUE(ranking.has_nan);
  for (int label = 0; label < 6; ++label) EXPECT_EQ(ranking.place(label), 0) << label;
}

TEST(Ranking, InfinityIsANumber) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(rank_classes(std::vector<float>{-inf, inf, 0}).classes, (Classes{1, 2, 0, -1, -1}));
}

TEST(Ranking, SoftmaxSumsToOneForLargeLogits) {
  const std::vector<double> p = softmax(std::vector<float>{1000, 1001, 900});
  EXPECT_NEAR(p[0] + p[1] + p[2], 1, 1e-15);
  EXPECT_NEAR(p[1] / p[0], 2.718281828459045, 1e-12);
}

}  // namespace
}  // namespace gpueval
