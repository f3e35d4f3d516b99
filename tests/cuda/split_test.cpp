// SPDX-License-Identifier: Apache-2.0
// How a depth is cut: every step in exactly one part, enough blocks for the device, none of them too short.
#include "cuda/conv/split.h"

#include <gtest/gtest.h>

namespace gpueval::cuda {
namespace {

TEST(Split, PartsCoverTheDepthOnceAndNoneIsEmpty) {
  for (const int steps : {8, 9, 31, 100, 784}) {
    for (int splits = 1; splits <= kMostDepthSplits && splits <= steps; ++splits) {
      EXPECT_EQ(split_begin(0, steps, splits), 0);
      EXPECT_EQ(split_begin(splits, steps, splits), steps);
      for (int part = 0; part < splits; ++part) {
        EXPECT_GT(split_begin(part + 1, steps, splits), split_begin(part, steps, splits)) << steps << " " << splits;
      }
    }
  }
}

TEST(Split, FillsTheDeviceWithTwoBlocksAMultiprocessor) {
  EXPECT_EQ(split_count(8, 144, 132), 16);   // 7x7x512, 3x3, batch 1: 8 tiles
  EXPECT_EQ(split_count(64, 784, 132), 4);   // VGG16's first dense layer
  EXPECT_EQ(split_count(8, 144, 40), 10);    // a smaller device
  EXPECT_EQ(split_count(264, 144, 132), 1);  // enough tiles
  EXPECT_EQ(split_count(100000, 144, 132), 1);
}

TEST(Split, LeavesEveryPartEnoughSteps) {
  EXPECT_EQ(split_count(1, 8, 132), 2);
  EXPECT_EQ(split_count(1, 11, 132), 2);
  EXPECT_EQ(split_count(1, 7, 132), 1);
  EXPECT_EQ(split_count(1, 1, 132), 1);
}

TEST(Split, WorkspaceHoldsACounterAndTheSumsOfEachTile) {
  EXPECT_EQ(split_workspace(8, 4096, 1), 0u);
  EXPECT_EQ(split_workspace(8, 4096, 2), 8u * 4 + 8u * 4096 * 4);
}

}  // namespace
}  // namespace gpueval::cuda
