// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>

#include "gpueval/error.h"
#include "session/parts.h"
#include "task/detection/matching.h"

namespace gpueval {
namespace {

// Pictures of 80 x 40 with one box each; one of them cannot be decoded any more.
class Boxes : public Dataset {
 public:
  explicit Boxes(std::size_t damaged) : damaged_(damaged) {}
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
  TruthKind truth() const override { return TruthKind::kBoxes; }
  std::vector<TruthBox> boxes(std::size_t index) const override { return {{0, {double(index), 0, 9, 9}, 81}}; }
  std::string state() const override { return ""; }

 private:
  std::size_t damaged_;
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
  judged.images = std::make_unique<Boxes>(damaged);
  Report report = report_of(different);
  Observer silent;
  collect_gallery(plan, Prepared{}, judged, silent, report);
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

}  // namespace
}  // namespace gpueval
