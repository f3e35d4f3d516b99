// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>

#include "gpueval/error.h"
#include "session/parts.h"
#include "task/detection/matching.h"

namespace gpueval {
namespace {

// Pictures of 80 x 40 with one box each, or with class 1 everywhere; one of them cannot be decoded any more.
class Pictures : public Dataset {
 public:
  explicit Pictures(std::size_t damaged, TruthKind truth = TruthKind::kBoxes) : damaged_(damaged), truth_(truth) {}
  std::size_t size() const override { return 6; }
  int label(std::size_t) const override { return -1; }
  Image decode(std::size_t index) const override {
    if (index == damaged_) throw BadImage("damaged");
    return {40, 80, std::vector<std::uint8_t>(std::size_t{40} * 80 * 3, 128)};
  }
  std::string name(std::size_t index) const override { return "picture " + std::to_string(index); }
  std::string path() const override { return "test"; }
  std::string kind() const override { return "test"; }
  bool images_are_cropped() const override { return false; }
  TruthKind truth() const override { return truth_; }
  std::vector<TruthBox> boxes(std::size_t index) const override { return {{0, {double(index), 0, 9, 9}, 81}}; }
  LabelMap label_map(std::size_t) const override { return {40, 80, std::vector<std::uint8_t>(40 * 80, 1)}; }
  std::string state() const override { return ""; }

 private:
  std::size_t damaged_;
  TruthKind truth_;
};

// Six judged pictures of which number 1 was skipped, so that scores are of 0, 2, 3, 4, 5; `different` boxes of each.
Report report_of(const std::vector<double>& different) {
  Report report;
  report.task = "detection";
  report.data.emplace();
  report.data->skipped = {{11, "picture 1", "damaged"}};
  for (int row = 0; row < 2; ++row) {
    RunReport& run = report.runs.emplace_back();
    run.precision = row == 0 ? "float32" : "int8";
    run.accuracy.emplace();
    for (const double boxes : different) {
      const std::vector<Detection> found{{0, .9, {1, 1, 5, 5}}, {0, .2, {2, 2, 5, 5}}};
      run.accuracy->samples.push_back(detection_score(found, {}));
      if (row == 1) run.accuracy->pairs.push_back({10 - boxes, 5, 5, 0, 0});
    }
  }
  return report;
}

Report gallery_of(const std::vector<double>& different, const GalleryPlan& gallery, std::size_t damaged = 6) {
  Plan plan;
  plan.gallery = gallery;
  JudgedSet judged;
  judged.indices = {10, 11, 12, 13, 14, 15};
  judged.images = std::make_unique<Pictures>(damaged);
  Report report = report_of(different);
  Observer silent;
  collect_gallery(plan, Prepared{}, judged, {}, silent, report);
  return report;
}

std::vector<std::string> names_of(const Report& report) {
  std::vector<std::string> names;
  for (const GalleryPicture& picture : report.gallery) names.push_back(picture.name);
  return names;
}

using Names = std::vector<std::string>;

TEST(GalleryPart, PicturesThatDifferMostFirst) {
  const Report report = gallery_of({1, 0, 4, 2, 0}, {});
  EXPECT_EQ(names_of(report), (Names{"picture 3", "picture 4", "picture 0"})) << "behind the skipped one, none equal";
  const GalleryPicture& first = report.gallery.front();
  ASSERT_EQ(first.answers.size(), 3u);
  EXPECT_EQ(first.answers[1].label, "int8");
  EXPECT_EQ(first.answers[1].boxes.size(), 1u) << "of scores of .3 or more";
  EXPECT_EQ(first.answers[2].boxes.front().place.x, 3) << "the truth is the picture's own";
  EXPECT_EQ(first.height, 40);
  EXPECT_EQ(first.jpeg[0], 0xff);
}

TEST(GalleryPart, KeepsItsBounds) {
  EXPECT_EQ(names_of(gallery_of({1, 2, 3, 4, 5}, {.pictures = 2})), (Names{"picture 5", "picture 4"}));
  EXPECT_TRUE(gallery_of({1, 2, 3, 4, 5}, {.bytes = 10}).gallery.empty());
  EXPECT_EQ(names_of(gallery_of({1, 2, 3, 4, 5}, {.pictures = 2}, 5)), (Names{"picture 4", "picture 3"}))
      << "one that cannot be decoded is left out";
}

TEST(GalleryPart, ARunThatEndedEarlyHasThoseItJudged) {
  EXPECT_EQ(names_of(gallery_of({1, 2}, {})), (Names{"picture 2", "picture 0"}));
}

// Maps of one class, which the output is.
class MapScorer : public Scorer {
 public:
  void check_truth(const Dataset&, std::size_t, std::size_t) const override {}
  void score(const JudgedImage&, std::span<const ImageOutputs>, std::span<Score>, std::span<Score>) const override {}
  bool possible(const Score&, const Dataset&, std::size_t) const override { return true; }
  bool possible_pair(const Score&) const override { return true; }
  LabelMap label_map(const JudgedImage& image, ImageOutputs outputs) const override {
    const auto pixels = static_cast<std::size_t>(image.height * image.width);
    return {image.height, image.width, std::vector<std::uint8_t>(pixels, static_cast<std::uint8_t>(outputs[0][0]))};
  }
};

Score pair_of(double different) { return {100 - different, 100, 1, 0}; }

TEST(KeptMaps, ThoseThatDifferMost) {
  const MapScorer scorer;
  const Pictures pictures(6, TruthKind::kLabelMap);
  KeptMaps maps(find_task("segmentation"), scorer, {.pictures = 2, .side = 40});
  const double different[] = {3, 0, 5, 3, 9};
  for (std::size_t i = 0; i < std::size(different); ++i) {
    const float numbers[] = {static_cast<float>(i), static_cast<float>(i) + 10};
    const std::span<const float> first(numbers, 1), last(numbers + 1, 1);
    const ImageOutputs rows[] = {{&first, 1}, {&last, 1}};
    maps.take({pictures, i, 40, 80}, pair_of(different[i]), rows);
  }
  for (const std::size_t i : {0u, 1u, 3u}) EXPECT_EQ(maps.of(i), nullptr) << i;
  for (const std::size_t i : {2u, 4u}) {
    ASSERT_NE(maps.of(i), nullptr) << i;
    EXPECT_EQ(maps.of(i)->first.classes, std::vector<std::uint8_t>(20 * 40, static_cast<std::uint8_t>(i)));
    EXPECT_EQ(maps.of(i)->last.classes, std::vector<std::uint8_t>(20 * 40, static_cast<std::uint8_t>(i + 10)));
  }
}

// No network may run any more: what a journal had has no maps.
TEST(GalleryPart, ASegmentationThatEndedEarlyHasTheMapsThatWereKept) {
  const MapScorer scorer;
  Plan plan;
  plan.gallery.emplace();
  JudgedSet judged;
  judged.indices = {10, 11, 12, 13, 14, 15};
  judged.images = std::make_unique<Pictures>(6, TruthKind::kLabelMap);
  Report report = report_of({0, 0, 0, 0});  // of pictures 0, 2, 3, 4
  report.task = "segmentation";
  report.interrupted = true;
  report.runs[1].accuracy->pairs = {pair_of(50), pair_of(1), pair_of(0), pair_of(2)};
  KeptMaps maps(find_task("segmentation"), scorer, *plan.gallery);
  const float number = 7;
  const std::span<const float> output(&number, 1);
  const ImageOutputs rows[] = {{&output, 1}, {&output, 1}};
  for (const std::size_t picture : {2u, 4u})
    maps.take({*judged.images, picture, 40, 80}, pair_of(picture == 2 ? 1 : 2), rows);
  Observer silent;
  collect_gallery(plan, Prepared{}, judged, maps, silent, report);
  EXPECT_EQ(names_of(report), (Names{"picture 4", "picture 2"})) << "picture 0 was in the journal";
  const std::vector<GalleryPicture::Answer>& answers = report.gallery.front().answers;
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[1].label, "int8");
  EXPECT_EQ(answers[1].map.classes, std::vector<std::uint8_t>(40 * 80, 7));
  EXPECT_EQ(answers[2].map.classes, std::vector<std::uint8_t>(40 * 80, 1));
}

}  // namespace
}  // namespace gpueval
