// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "metric_cases.h"
#include "task/segmentation/mean_iou.h"

namespace gpueval {
namespace {

using Pixels = std::vector<std::uint8_t>;

// 2x4: of class 0 two right, one taken for 2; of class 1 one right, one taken for 0, one NaN; two void.
Score small_score() {
  const LabelMap truth{2, 4, {0, 0, 0, 1, 1, 1, 255, 255}};
  return confusion_score(truth, Pixels{0, 0, 2, 1, 0, 255, 1, 3}, 4, true);
}

TEST(Confusion, CountsPixelsByTruthAndAnswer) {
  EXPECT_EQ(small_score(), (Score{1, 4, 0, 2, 2, 1, 256, 1, 257, 1, 511, 1}));
  EXPECT_TRUE(confusion_had_nan(small_score()));
  EXPECT_TRUE(confusion_cells(confusion_score({1, 2, {255, 255}}, Pixels{0, 1}, 2)).empty());
}

TEST(Confusion, MeanIsOverTheClassesThatOccur) {
  const SegmentationMetrics metrics = segmentation_metrics(std::vector<Score>{small_score(), small_score()});
  ASSERT_EQ(metrics.iou.size(), 4u);
  EXPECT_EQ(metrics.iou[0], 2.0 / 4);
  EXPECT_EQ(metrics.iou[1], 1.0 / 3);
  EXPECT_EQ(metrics.iou[2], 0.0) << "answered, though no pixel has it";
  EXPECT_FALSE(metrics.iou[3]) << "answered on void alone";
  EXPECT_DOUBLE_EQ(*metrics.mean_iou, (2.0 / 4 + 1.0 / 3 + 0) / 3);
  EXPECT_EQ(metrics.pixels, 12);
  EXPECT_EQ(metrics.pixel_accuracy, 0.5);
  EXPECT_FALSE(segmentation_metrics(std::vector<Score>{}).mean_iou);
}

TEST(SegmentationTask, DoubtsMasksOfOneClass) {
  const Task& task = find_task("segmentation");
  const auto doubt = [&](const LabelMap& truth, const Pixels& found) {
    AccuracyResult result;
    result.samples.assign(6, confusion_score(truth, found, 2));
    task.summarise(result);
    return task.doubt("float32", result, 2).value_or("");
  };
  const LabelMap one{1, 4, {0, 0, 255, 255}}, both{1, 4, {0, 0, 1, 1}};
  EXPECT_EQ(doubt(one, {0, 0, 1, 1}).find("The masks of 6 images have one class alone beside void, so"), 0u);
  EXPECT_EQ(doubt(both, {0, 0, 0, 0}).find("float32 finds 1 of the 2 classes on 6 images"), 0u);
  EXPECT_EQ(doubt(both, {0, 0, 1, 0}), "");
}

TEST(Confusion, RefusesClassesThatTheNetworkLacks) {
  EXPECT_THROW(confusion_score({1, 1, {2}}, Pixels{0}, 2), Error);
  EXPECT_THROW(confusion_score({1, 1, {0}}, Pixels{2}, 2), Error);
  EXPECT_THROW(confusion_score({1, 2, {0, 0}}, Pixels{0}, 2), Error);
}

TEST(Confusion, ScoresOfAFileAreNotBelieved) {
  const LabelMap truth{2, 4, {0, 0, 0, 1, 1, 1, 255, 255}};
  EXPECT_TRUE(possible_confusion_score(small_score(), 4, truth));
  EXPECT_FALSE(possible_confusion_score(small_score(), 5));
  EXPECT_FALSE(possible_confusion_score(small_score(), 4, LabelMap{1, 3, {0, 0, 1}}));
  const double nan = std::numeric_limits<double>::quiet_NaN(), large = 1e300;
  const std::vector<Score> wrong{{},
                                 {0},
                                 {0, 4, 0},
                                 {2, 4},
                                 {0, 4, 1, 1, 1, 1},  // a cell twice
                                 {0, 4, 4, 1},        // an answer beyond the classes
                                 {0, 4, 1024, 1},     // a truth beyond them
                                 {0, 4, 0, 0},        // no pixel
                                 {0, 4, 0, 1.5},      // half a one
                                 {0, 4, 0, large},    // more than a picture has
                                 {0, 4, -1, 1},
                                 {0, 4, nan, 1},
                                 {0, 4, 0, nan},
                                 {nan, 4},
                                 {0, nan},
                                 {0, 4, large, 1}};
  for (const Score& score : wrong) EXPECT_FALSE(possible_confusion_score(score, 4)) << testing::PrintToString(score);
}

// As the script makes them.
std::vector<Score> random_maps(const nlohmann::json& expected) {
  Random random(expected["seed"].get<std::uint64_t>());
  std::vector<Score> scores;
  for (int picture = 0; picture < expected["pictures"]; ++picture) {
    LabelMap truth;
    truth.height = random.integer(1, 30);
    truth.width = random.integer(1, 30);
    Pixels predicted;
    for (int i = 0; i < truth.height * truth.width; ++i) {
      const bool is_void = random.uniform() < expected["void"].get<double>();
      const int is = random.integer(0, expected["used"].get<int>() - 1);
      truth.classes.push_back(is_void ? LabelMap::kVoid : static_cast<std::uint8_t>(is));
      const bool right = random.uniform() < expected["right"].get<double>();
      const int other = random.integer(0, expected["classes"].get<int>() - 1);
      predicted.push_back(static_cast<std::uint8_t>(right ? is : other));
    }
    scores.push_back(confusion_score(truth, predicted, expected["classes"]));
    EXPECT_TRUE(possible_confusion_score(scores.back(), expected["classes"], truth));
  }
  return scores;
}

TEST(SegmentationGoldens, AreThoseOfNumpy) {
  for (const nlohmann::json& expected : test::metric_golden("segmentation.json")) {
    SCOPED_TRACE(expected["seed"]);
    const SegmentationMetrics metrics = segmentation_metrics(random_maps(expected));
    EXPECT_NEAR(metrics.mean_iou.value_or(-1), expected["mean_iou"].get<double>(), 1e-12);
    EXPECT_NEAR(metrics.pixel_accuracy.value_or(-1), expected["accuracy"].get<double>(), 1e-12);
    ASSERT_EQ(metrics.iou.size(), expected["classes"].get<std::size_t>());
    for (std::size_t c = 0; c < expected["iou"].size(); ++c) {
      EXPECT_NEAR(metrics.iou[c].value_or(-1), expected["iou"][c].get<double>(), 1e-12) << "class " << c;
    }
  }
}

}  // namespace
}  // namespace gpueval
