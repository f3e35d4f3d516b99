// SPDX-License-Identifier: Apache-2.0
#include "task/bootstrap.h"

#include <gtest/gtest.h>

#include "gpueval/threads.h"
#include "metric_cases.h"
#include "task/detection/average_precision.h"
#include "task/detection/resampled_ap.h"
#include "task/segmentation/resampled_iou.h"

namespace gpueval {
namespace {

std::vector<Score> repeated(const std::vector<Score>& scores, PictureCounts counts) {
  std::vector<Score> result;
  for (std::size_t i = 0; i < scores.size(); ++i) result.insert(result.end(), counts[i], scores[i]);
  return result;
}

std::vector<std::uint32_t> random_counts(Random& random, std::size_t pictures) {
  std::vector<std::uint32_t> counts(pictures);
  for (std::uint32_t& count : counts) count = static_cast<std::uint32_t>(random.integer(0, 3));
  return counts;
}

// Every detection with a score of its own in all the kinds where ties may be, so that no order of equal ones decides.
std::vector<Score> without_ties(const test::DetectionCase& pictures) {
  std::vector<Score> result;
  double step = 0;
  for (test::CasePicture picture : pictures.pictures) {
    for (Detection& detection : picture.detections) detection.score = detection.score * .9 + (step += 1e-6);
    result.push_back(detection_score(picture.detections, picture.truth));
  }
  return result;
}

TEST(Bootstrap, ApOfADrawIsThatOfTheRepeatedPictures) {
  Random random(7);
  for (const nlohmann::json& kind : test::metric_golden("detection.json")) {
    SCOPED_TRACE(kind["name"]);
    for (std::size_t i = 0; i < 4; ++i) {
      const test::DetectionCase pictures(kind, kind["cases"][i][0]);
      EXPECT_EQ(ResampledAp(pictures.scores()).value(), detection_metrics(pictures.scores()).coco.ap[0]);
      const std::vector<Score> scores = without_ties(pictures);
      const std::vector<std::uint32_t> counts = random_counts(random, scores.size());
      EXPECT_EQ(ResampledAp(scores).value(counts), detection_metrics(repeated(scores, counts)).coco.ap[0]);
    }
  }
}

// Pictures of 8 pixels, of which `right` are.
std::vector<Score> halves(const std::vector<int>& right) {
  std::vector<Score> scores;
  for (const int count : right) {
    std::vector<std::uint8_t> predicted(8, 1);
    std::fill(predicted.begin(), predicted.begin() + count, std::uint8_t{0});
    scores.push_back(confusion_score({1, 8, std::vector<std::uint8_t>(8, 0)}, predicted, 3));
  }
  return scores;
}

TEST(Bootstrap, MeanIouOfADrawIsThatOfTheRepeatedPictures) {
  const std::vector<Score> scores = halves({8, 3, 0, 5, 6});
  const std::vector<std::uint32_t> counts{2, 0, 1, 1, 3};
  EXPECT_EQ(ResampledIou(scores).value(counts), segmentation_metrics(repeated(scores, counts)).mean_iou);
  EXPECT_EQ(ResampledIou(scores).value(std::vector<std::uint32_t>{1, 0, 0, 0, 0}), 1.0) << "one class is left";
  EXPECT_FALSE(ResampledIou(scores).value(std::vector<std::uint32_t>(5)));
}

// The mean of the values of the pictures that are drawn.
class MeanMetric : public ResampledMetric {
 public:
  explicit MeanMetric(std::vector<double> values, double nanoseconds = 1)
      : values_(std::move(values)), ns_(nanoseconds) {}
  std::size_t pictures() const override { return values_.size(); }
  double nanoseconds() const override { return ns_; }
  std::optional<double> value(PictureCounts counts) const override {
    double sum = 0, drawn = 0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      sum += counts[i] * values_[i];
      drawn += counts[i];
    }
    EXPECT_EQ(drawn, static_cast<double>(values_.size()));
    return sum / drawn;
  }

 private:
  std::vector<double> values_;
  double ns_;
};

// 400 values of mean .5 and deviation sqrt(1/12): the mean's interval is .5 +- 1.96 * .2887 / 20, so .4717 to .5283.
TEST(Bootstrap, IntervalOfAMeanIsThatOfTheNormalDistribution) {
  std::vector<double> values(400);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = (static_cast<double>(i) + .5) / 400;
  const std::optional<Bootstrap> result = bootstrap(MeanMetric(values));
  EXPECT_EQ(result->resamples, kMostResamples);
  EXPECT_NEAR(result->ci95.low, .4717, .003);
  EXPECT_NEAR(result->ci95.high, .5283, .003);
}

TEST(Bootstrap, BothRowsGetTheSameDraws) {
  std::vector<double> values(50), better(50);
  for (std::size_t i = 0; i < values.size(); ++i) better[i] = (values[i] = static_cast<double>(i)) + 1;
  const std::optional<PairedBootstrap> result = paired_bootstrap(MeanMetric(values), MeanMetric(better));
  EXPECT_NEAR(result->diff.low, 1, 1e-12) << "though either row's mean varies by " << result->first.high;
  EXPECT_NEAR(result->diff.high, 1, 1e-12);
  EXPECT_GT(result->first.high - result->first.low, 5);
  const std::optional<Bootstrap> alone = bootstrap(MeanMetric(values));
  EXPECT_EQ(result->first.low, alone->ci95.low);
  EXPECT_EQ(result->first.high, alone->ci95.high);
  EXPECT_THROW(paired_bootstrap(MeanMetric(values), MeanMetric({1, 2})), Error);
}

TEST(Bootstrap, IsTheSameForEveryNumberOfThreads) {
  const nlohmann::json kinds = test::metric_golden("detection.json");
  const test::DetectionCase pictures(kinds.back(), 5);
  std::vector<Score> first = pictures.scores(), second = first;
  second[0] = detection_score({}, pictures.pictures[0].truth);
  const int before = threads();
  std::vector<PairedBootstrap> results;
  for (const int count : {1, 3}) {
    set_threads(count);
    results.push_back(*paired_bootstrap(ResampledAp(first), ResampledAp(second)));
  }
  set_threads(before);
  for (const auto member : {&PairedBootstrap::first, &PairedBootstrap::second, &PairedBootstrap::diff}) {
    EXPECT_EQ((results[0].*member).low, (results[1].*member).low);
    EXPECT_EQ((results[0].*member).high, (results[1].*member).high);
  }
  EXPECT_LT(results[0].first.low, results[0].first.high);
}

TEST(Bootstrap, FewerDrawsOfMuchWork) {
  EXPECT_EQ(resamples_for(1e6), kMostResamples);
  EXPECT_EQ(resamples_for(1e7), 300);
  EXPECT_EQ(resamples_for(1e9), kLeastResamples);
  EXPECT_EQ(bootstrap(MeanMetric({1, 2, 3}, 1e7))->resamples, 300);
}

TEST(Bootstrap, NothingIsAbsent) {
  EXPECT_FALSE(bootstrap(ResampledAp(std::vector<Score>{})));
  EXPECT_FALSE(bootstrap(ResampledIou(std::vector<Score>{})));
  EXPECT_FALSE(bootstrap(ResampledAp(std::vector<Score>{detection_score({}, {})}))) << "no truth in any draw";
}

}  // namespace
}  // namespace gpueval
