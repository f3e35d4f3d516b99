// SPDX-License-Identifier: Apache-2.0
// What is shown while a measurement goes on.
#include <gtest/gtest.h>

#include "gpueval/classification.h"
#include "gpueval/report.h"

namespace gpueval {
namespace {

// Rows of 10,000 images, so many of them right.
std::vector<AccuracyResult> rows(const std::vector<int>& right) {
  std::vector<AccuracyResult> result(right.size());
  for (std::size_t row = 0; row < right.size(); ++row) {
    for (int i = 0; i < 10000; ++i)
      result[row].samples.push_back(to_score({.label = 1, .predicted = 1, .place = i < right[row] ? 1 : 2}));
  }
  return result;
}

TEST(Progress, AccuracyLine) {
  EXPECT_EQ(progress_text(AccuracyProgress{5000, 50000, 0, 100, &classification_task(), rows({5640, 5512})}),
            "5,000/50,000 images  50.0 images/s  top-1 56.40% 55.12%  15 min 00 s left");
}

TEST(Progress, ReplayedImagesDoNotCountAsSpeed) {
  EXPECT_EQ(progress_text(AccuracyProgress{40000, 50000, 39000, 10, &classification_task(), rows({5000})}),
            "40,000/50,000 images  100.0 images/s  top-1 50.00%  1 min 40 s left");
}

TEST(Progress, NothingDoneYetHasNoTime) {
  EXPECT_EQ(progress_text(AccuracyProgress{64, 128, 64, 0, &classification_task(), rows({5000})}),
            "64/128 images  top-1 50.00%");
}

TEST(Progress, SpeedLine) {
  EXPECT_EQ(progress_text(SpeedProgress{0.5, {10.25, 30}}), "speed  50%  images/s 10.2 30.0");
}

}  // namespace
}  // namespace gpueval
