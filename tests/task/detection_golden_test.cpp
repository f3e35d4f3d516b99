// SPDX-License-Identifier: Apache-2.0
// The metrics of detection against pycocotools and VOC's devkit (scripts/make_metric_goldens.py), and on real
// detections.
#include <map>

#include "../support/data_files.h"
#include "metric_cases.h"
#include "task/detection/average_precision.h"

namespace gpueval {
namespace {

constexpr double kTolerance = 1e-12;

std::vector<std::optional<double>> summary(const DetectionMetrics& m) {
  return {m.coco.ap[0], m.coco.ap50,  m.coco.ap75,  m.coco.ap[1], m.coco.ap[2], m.coco.ap[3], m.coco.ar1,
          m.coco.ar10,  m.coco.ar[0], m.coco.ar[1], m.coco.ar[2], m.coco.ar[3], m.voc.ap07,   m.voc.ap10};
}

// Of every category of the data set, in any picture or not.
std::vector<std::optional<double>> all_numbers(const DetectionMetrics& metrics, int categories) {
  std::vector<std::optional<double>> numbers = summary(metrics);
  std::map<int, CategoryMetrics> by_category;
  for (const CategoryMetrics& category : metrics.categories) by_category[category.category] = category;
  for (int c = 0; c < categories; ++c) {
    const CategoryMetrics& m = by_category[c];
    numbers.insert(numbers.end(), {m.coco.ap[0], m.coco.ap50, m.voc.ap07, m.voc.ap10});
  }
  return numbers;
}

TEST(DetectionGoldens, AreThoseOfPycocotoolsAndTheDevkit) {
  int cases = 0;
  for (const nlohmann::json& kind : test::metric_golden("detection.json")) {
    for (const nlohmann::json& expected : kind["cases"]) {
      const test::DetectionCase pictures(kind, expected[0]);
      const auto numbers = all_numbers(detection_metrics(pictures.scores()), pictures.categories);
      ASSERT_EQ(numbers.size() + 1, expected.size()) << kind["name"];
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        EXPECT_NEAR(numbers[i].value_or(-1), expected[i + 1].get<double>(), kTolerance)
            << kind["name"] << ", seed " << expected[0] << ", number " << i;
      }
      ++cases;
    }
  }
  EXPECT_GE(cases, 400);
}

TEST(DetectionGoldens, ScoresAreBelievedAndGiveTheDetectionsBack) {
  for (const nlohmann::json& kind : test::metric_golden("detection.json")) {
    const test::DetectionCase pictures(kind, kind["cases"][1][0]);
    const std::vector<Score> scores = pictures.scores();
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const test::CasePicture& picture = pictures.pictures[i];
      EXPECT_TRUE(possible_detection_score(scores[i], pictures.categories)) << kind["name"];
      EXPECT_TRUE(possible_detection_score(scores[i], pictures.categories, picture.truth)) << kind["name"];
      EXPECT_EQ(detections_of(scores[i]).size(), picture.detections.size());
      EXPECT_EQ(detection_score(detections_of(scores[i]), picture.truth), scores[i]) << "COCO JSON judged again";
    }
  }
}

TEST(DetectionMetricsReal, FaceMasksAreThoseOfPycocotools) {
  const std::string folder = test::real_data("detection/golden/");
  if (!std::ifstream(folder + "val_annotations.json")) GTEST_SKIP() << folder << " is not there";
  const auto truths = nlohmann::json::parse(std::ifstream(folder + "val_annotations.json"));
  const auto answers = nlohmann::json::parse(std::ifstream(folder + "val_detections_float32.json"));
  const auto box = [](const nlohmann::json& b) { return Box{b[0], b[1], b[2], b[3]}; };
  std::map<int, test::CasePicture> pictures;
  for (const auto& image : truths["images"]) pictures[image["id"]];
  for (const auto& a : truths["annotations"]) {
    pictures.at(a["image_id"]).truth.push_back({a["category_id"], box(a["bbox"]), a["area"], a["iscrowd"] == 1});
  }
  for (const auto& d : answers) {
    pictures.at(d["image_id"]).detections.push_back({d["category_id"], d["score"], box(d["bbox"])});
  }
  std::vector<Score> scores;
  for (const auto& [id, picture] : pictures) scores.push_back(detection_score(picture.detections, picture.truth));
  const DetectionMetrics metrics = detection_metrics(scores);
  EXPECT_EQ(metrics.truths, 72);
  EXPECT_NEAR(*metrics.coco.ap[0], .6282, .00005);
  EXPECT_NEAR(*metrics.coco.ap50, .9955, .00005);
  EXPECT_NEAR(*metrics.coco.ap75, .7396, .00005);
}

}  // namespace
}  // namespace gpueval
