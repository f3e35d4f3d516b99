// SPDX-License-Identifier: Apache-2.0
// Who is matched with whom, by hand.
#include "task/detection/matching.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr int kAt50 = 0, kAt75 = 5, kAt95 = 9;

Detection found_box(double score, const Box& box, int category = 0) { return {category, score, box}; }
TruthBox truth_box(const Box& box, bool crowd = false, bool difficult = false) {
  return {0, box, box.area(), crowd, difficult};
}

// "+" hit, "-" wrong, "." ignored, of each detection, best first.
std::string coco_verdicts(const Score& score, int threshold, AreaRange range = AreaRange::kAll) {
  std::string result;
  for (const CategoryScore& part : categories_of(score)) {
    for (std::size_t i = 0; i < part.detections(); ++i) {
      const std::uint64_t bit = std::uint64_t{1} << judgement_bit(range, threshold);
      const Judgement judgement = part.judgement(i);
      result += (judgement.hits & bit) != 0 ? '+' : (judgement.ignored & bit) != 0 ? '.' : '-';
    }
  }
  return result;
}

std::string voc_verdicts(const Score& score) {
  std::string result;
  for (const CategoryScore& part : categories_of(score)) {
    for (std::size_t i = 0; i < part.detections(); ++i) result += "-+."[static_cast<int>(part.judgement(i).voc)];
  }
  return result;
}

TEST(Matching, BestScoreTakesTheTruth) {
  const Score score = detection_score(std::vector{found_box(.3, {0, 0, 10, 10}), found_box(.9, {0, 0, 10, 8})},
                                      std::vector{truth_box({0, 0, 10, 10})});
  EXPECT_EQ(coco_verdicts(score, kAt50), "+-");
  EXPECT_EQ(coco_verdicts(score, kAt95), "-+");
  EXPECT_EQ(voc_verdicts(score), "+-") << "the second is a duplicate";
}

TEST(Matching, IouThatEqualsTheThresholdIsEnough) {
  const std::vector<TruthBox> truths{truth_box({0, 0, 20, 10})};
  EXPECT_EQ(coco_verdicts(detection_score(std::vector{found_box(.9, {0, 0, 10, 10})}, truths), kAt50), "+");
  EXPECT_EQ(coco_verdicts(detection_score(std::vector{found_box(.9, {0, 0, 15, 10})}, truths), kAt75), "+");
  EXPECT_EQ(coco_verdicts(detection_score(std::vector{found_box(.9, {0, 0, 14.999, 10})}, truths), kAt75), "-");
}

// At IoU .8 with both, the first detection takes the later truth, so that the second, which knows the first alone,
// hits.
TEST(Matching, CocoTakesTheLaterOfEqualTruths) {
  const std::vector<TruthBox> truths{truth_box({0, 0, 8, 10}), truth_box({2, 0, 8, 10})};
  const Score score = detection_score(std::vector{found_box(.9, {0, 0, 10, 10}), found_box(.8, {0, 0, 8, 10})}, truths);
  EXPECT_EQ(coco_verdicts(score, kAt75), "++");
  const std::vector<TruthBox> swapped{truths[1], truths[0]};
  EXPECT_EQ(coco_verdicts(detection_score(detections_of(score), swapped), kAt75), "+-");
}

TEST(Matching, VocTakesTheFirstOfEqualTruths) {
  const std::vector<TruthBox> truths{truth_box({0, 0, 8, 10}), truth_box({2, 0, 8, 10}, false, true)};
  EXPECT_EQ(voc_verdicts(detection_score(std::vector{found_box(.9, {0, 0, 10, 10})}, truths)), "+");
  const std::vector<TruthBox> swapped{truths[1], truths[0]};
  EXPECT_EQ(voc_verdicts(detection_score(std::vector{found_box(.9, {0, 0, 10, 10})}, swapped)), ".");
}

TEST(Matching, CocoGoesOnToAFreeTruthAndVocDoesNot) {
  const std::vector<TruthBox> truths{truth_box({0, 0, 20, 20}), truth_box({4, 0, 20, 20})};
  const Score score =
      detection_score(std::vector{found_box(.9, {0, 0, 20, 20}), found_box(.8, {1, 0, 20, 20})}, truths);
  EXPECT_EQ(coco_verdicts(score, kAt50), "++");
  EXPECT_EQ(voc_verdicts(score), "+-") << "the closest truth is taken";
}

TEST(Matching, CrowdTakesManyAndCountsNowhere) {
  const std::vector<TruthBox> truths{truth_box({0, 0, 100, 100}, true), truth_box({0, 0, 10, 10})};
  const Score score = detection_score(
      std::vector{found_box(.9, {0, 0, 10, 10}), found_box(.8, {50, 50, 9, 9}), found_box(.7, {60, 60, 9, 9})}, truths);
  EXPECT_EQ(coco_verdicts(score, kAt95), "+..") << "the box that is no crowd first";
  const TruthCounts counts = categories_of(score)[0].truth();
  EXPECT_EQ(counts.coco[0], 1);
  EXPECT_EQ(counts.voc, 1);
}

TEST(Matching, AreasOutsideTheRangeAreIgnored) {
  // 32^2 is small and medium; the second detection, unmatched, is small alone.
  const Score score = detection_score(std::vector{found_box(.9, {0, 0, 32, 32}), found_box(.8, {90, 90, 5, 5})},
                                      std::vector{truth_box({0, 0, 32, 32})});
  EXPECT_EQ(coco_verdicts(score, kAt50, AreaRange::kSmall), "+-");
  EXPECT_EQ(coco_verdicts(score, kAt50, AreaRange::kMedium), "+.");
  EXPECT_EQ(coco_verdicts(score, kAt50, AreaRange::kLarge), "..");
  EXPECT_EQ(categories_of(score)[0].truth().coco, (std::array<std::int64_t, 4>{1, 1, 1, 0}));
}

TEST(Matching, VocCountsTheLastPixelAndLeavesOutDifficultBoxes) {
  // 2x1 pixels of 4x1: half, with corners inside.
  const Score half =
      detection_score(std::vector{found_box(.9, {10, 10, 1, 0})}, std::vector{truth_box({10, 10, 3, 0})});
  EXPECT_EQ(voc_verdicts(half), "+");
  EXPECT_EQ(coco_verdicts(half, kAt50), "-") << "an empty box overlaps nothing";
  const Score hard = detection_score(std::vector{found_box(.9, {0, 0, 9, 9}), found_box(.8, {0, 0, 9, 9})},
                                     std::vector{truth_box({0, 0, 9, 9}, false, true)});
  EXPECT_EQ(voc_verdicts(hard), "..");
  EXPECT_EQ(coco_verdicts(hard, kAt50), "+-") << "COCO knows no difficult boxes";
  EXPECT_EQ(categories_of(hard)[0].truth().voc, 0);
}

TEST(Matching, CocoCountsAHundredOfAPictureAndCategory) {
  std::vector<Detection> detections(100, found_box(.5, {500, 500, 5, 5}));
  detections.push_back(found_box(.4, {0, 0, 9, 9}));
  const Score score = detection_score(detections, std::vector{truth_box({0, 0, 9, 9})});
  EXPECT_EQ(coco_verdicts(score, kAt50), std::string(100, '-') + ".");
  EXPECT_EQ(voc_verdicts(score), std::string(100, '-') + "+");
  detections.back().category = 1;
  EXPECT_EQ(coco_verdicts(detection_score(detections, {}), kAt50), std::string(101, '-'));
}

TEST(Matching, NotANumberIsNoDetection) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(detection_score(std::vector{found_box(nan, {0, 0, 1, 1})}, {}), Error);
  EXPECT_THROW(detection_score(std::vector{found_box(.5, {0, 0, 1, nan})}, {}), Error);
  EXPECT_THROW(detection_score(std::vector{found_box(1.5, {0, 0, 1, 1})}, {}), Error);
  EXPECT_TRUE(had_nan(detection_score({}, {}, true)));
  EXPECT_FALSE(had_nan(detection_score({}, {})));
}

// Each number of a score in turn replaced by hostile ones. Another score or edge may be as good: those are judged
// again.
TEST(Matching, ScoresOfAFileAreNotBelieved) {
  const std::vector<TruthBox> truths{truth_box({0, 0, 20, 20}), truth_box({40, 0, 20, 20}, true)};
  const Score good = detection_score(std::vector{found_box(.9, {0, 0, 20, 20}), found_box(.8, {1, 0, 20, 20})}, truths);
  ASSERT_TRUE(possible_detection_score(good, 1, truths));
  EXPECT_FALSE(possible_detection_score(good, 0));
  const double inf = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const double hostile : {-1.0, 0.5, 13.0, 1e18, 1e300, inf, -inf, inf - inf}) {
      Score bad = good;
      bad[i] = hostile;
      const bool of_detection = i >= 8 && (i - 8) % 7 < 5;
      if (!of_detection || !std::isfinite(hostile)) {
        EXPECT_FALSE(possible_detection_score(bad, 1, truths)) << i << " " << hostile;
      }
      const bool may_be = of_detection || (hostile == 13 && i >= 3);
      if (!may_be) {
        EXPECT_FALSE(possible_detection_score(bad, 1)) << i << " " << hostile;
      }
      if (possible_detection_score(bad, 1)) {
        EXPECT_EQ(detections_of(bad).size(), 2u);
      }
    }
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Score cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(possible_detection_score(cut, 1, truths)) << size;
  }
}

}  // namespace
}  // namespace gpueval
