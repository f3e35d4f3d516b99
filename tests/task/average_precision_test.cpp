// SPDX-License-Identifier: Apache-2.0
// Average precision by hand; tests/task/detection_golden_test.cpp has the many cases.
#include "task/detection/average_precision.h"

#include <gtest/gtest.h>

#include <numeric>

#include "task/detection/matching.h"

namespace gpueval {
namespace {

constexpr Box kHere{0, 0, 40, 40}, kElsewhere{500, 500, 40, 40};

TruthBox of_category(int category, const Box& box) { return {category, box, box.area()}; }

// Ranks of one category: hit, miss, hit; of 2 truths, in two pictures.
std::vector<Score> hit_miss_hit() {
  return {
      detection_score(std::vector<Detection>{{0, .9, kHere}, {0, .8, kElsewhere}}, std::vector{of_category(0, kHere)}),
      detection_score(std::vector<Detection>{{0, .7, kHere}}, std::vector{of_category(0, kHere)})};
}

TEST(AveragePrecision, ThreeRanksByHand) {
  const DetectionMetrics metrics = detection_metrics(hit_miss_hit());
  // Precision 1 up to recall .5, then 2/3.
  EXPECT_NEAR(*metrics.coco.ap[0], (51 + 50 * 2. / 3) / 101, 1e-12);
  EXPECT_NEAR(*metrics.voc.ap07, (6 + 5 * 2. / 3) / 11, 1e-12);
  EXPECT_NEAR(*metrics.voc.ap10, (1 + 2. / 3) / 2, 1e-12);
  EXPECT_EQ(metrics.coco.ar1, 1.0) << "of each picture the best";
  EXPECT_EQ(metrics.images, 2);
  EXPECT_EQ(metrics.detections, 3);
  EXPECT_EQ(metrics.truths, 2);
  EXPECT_EQ(metrics.tied_scores, 0);
}

TEST(AveragePrecision, CurveIsTheInterpolatedPrecision) {
  const std::vector<PrecisionCurve> curves = precision_curves(hit_miss_hit());
  ASSERT_EQ(curves.size(), 1u);
  const auto& precision = curves[0].precision;
  EXPECT_NEAR(precision[50], 1, 1e-12);
  EXPECT_NEAR(precision[51], 2. / 3, 1e-12);
  EXPECT_NEAR(std::accumulate(precision.begin(), precision.end(), 0.0) / kRecalls,
              *detection_metrics(hit_miss_hit()).coco.ap50, 1e-12);
  EXPECT_TRUE(
      precision_curves(std::vector<Score>{detection_score(std::vector<Detection>{{0, .9, kHere}}, {})}).empty());
}

TEST(AveragePrecision, MeanIsOverTheCategoriesWithATruth) {
  // 0: found; 1: not found; 2: never there.
  const std::vector<Score> scores{detection_score(std::vector<Detection>{{0, .9, kHere}, {2, .9, kHere}},
                                                  std::vector{of_category(0, kHere), of_category(1, kHere)})};
  const DetectionMetrics metrics = detection_metrics(scores);
  ASSERT_EQ(metrics.categories.size(), 3u);
  EXPECT_NEAR(*metrics.coco.ap[0], .5, 1e-12);
  EXPECT_NEAR(*metrics.categories[0].coco.ap[0], 1, 1e-12);
  EXPECT_EQ(metrics.categories[1].coco.ap[0], 0.0);
  EXPECT_FALSE(metrics.categories[2].coco.ap[0]);
  EXPECT_FALSE(metrics.categories[2].voc.ap07);
  EXPECT_FALSE(metrics.coco.ap[static_cast<std::size_t>(AreaRange::kLarge)]) << "40^2 is medium";
  EXPECT_EQ(metrics.tied_scores, 0) << "equal scores of two categories are no tie";
}

TEST(AveragePrecision, TiesAreThoseOfACategoryInAllPictures) {
  const std::vector<Score> scores{
      detection_score(std::vector<Detection>{{0, .5, kHere}, {0, .4, kHere}, {0, .3, kHere}}, {}),
      detection_score(std::vector<Detection>{{0, .5, kHere}, {0, .3, kHere}, {0, .3, kHere}, {1, .4, kHere}}, {})};
  EXPECT_EQ(detection_metrics(scores).tied_scores, 5);
}

// 3 hits of 10 truths are a recall of .3, though 3 * .1 is more.
TEST(AveragePrecision, RecallOfThreeInTenReachesVocsThreeTenths) {
  std::vector<Score> scores;
  for (int i = 0; i < 10; ++i) {
    const std::vector<Detection> found(i < 3 ? 1 : 0, Detection{0, .9, kHere});
    scores.push_back(detection_score(found, std::vector{of_category(0, kHere)}));
  }
  EXPECT_NEAR(*detection_metrics(scores).voc.ap07, 4. / 11, 1e-12);
  EXPECT_NEAR(*detection_metrics(scores).voc.ap10, 3. / 10, 1e-12);
}

TEST(AveragePrecision, NothingIsAbsent) {
  const DetectionMetrics metrics = detection_metrics({});
  EXPECT_FALSE(metrics.coco.ap[0]);
  EXPECT_FALSE(metrics.coco.ar1);
  EXPECT_FALSE(metrics.voc.ap10);
  EXPECT_TRUE(metrics.categories.empty());
}

}  // namespace
}  // namespace gpueval
