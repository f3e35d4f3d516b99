// SPDX-License-Identifier: Apache-2.0
// Photographs with boxes and with label maps.
#include <set>

#include "io/annotated_files.h"
#include "io/data/annotated/coco.h"

namespace gpueval {
namespace {

void expect_same_truth(const Dataset& found, const Dataset& golden) {
  ASSERT_EQ(found.size(), golden.size());
  EXPECT_EQ(found.class_names(), golden.class_names());
  std::size_t boxes = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(found.name(i).ends_with("JPEGImages/" + golden.name(i))) << found.name(i);
    EXPECT_EQ(found.image_id(i), golden.image_id(i));
    const auto ours = found.boxes(i), theirs = golden.boxes(i);
    ASSERT_EQ(ours.size(), theirs.size()) << found.name(i);
    boxes += ours.size();
    for (std::size_t k = 0; k < ours.size(); ++k) {
      EXPECT_EQ(ours[k].box, theirs[k].box) << found.name(i);
      EXPECT_EQ(ours[k].area, theirs[k].area) << found.name(i);
      EXPECT_EQ(found.category_id(ours[k].category), golden.category_id(theirs[k].category)) << found.name(i);
    }
  }
  EXPECT_EQ(boxes, 72u);
}

TEST(AnnotatedReal, BoxesAreThoseOfTheGolden) {
  const std::string folder = test::real_data("detection"), golden = folder + "/golden/val_annotations.json";
  if (!std::filesystem::exists(golden)) GTEST_SKIP() << "needs " << golden;
  const auto data = open_annotated({.path = folder, .split = "val"});
  EXPECT_EQ(data->size(), 60u);
  expect_same_truth(*data, *data::open_coco_truth(golden, {}));
  EXPECT_EQ(data->ground_truth().notes.size(), 0u);
  const auto coco = open_annotated({.path = folder + "/JPEGImages", .annotations = golden});
  for (const std::size_t i : {std::size_t{0}, std::size_t{59}}) EXPECT_EQ(coco->decode(i).rgb, data->decode(i).rgb);
}

TEST(AnnotatedReal, EveryPictureHasTheSizeOfItsBoxes) {
  const std::string folder = test::real_data("detection");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "needs " << folder;
  const auto data = open_annotated({.path = folder});
  EXPECT_EQ(data->size(), 121u);
  for (std::size_t i = 0; i < data->size(); ++i) EXPECT_NO_THROW(data->decode(i)) << data->name(i);
}

TEST(AnnotatedReal, LabelMapsArePersonsAndBackground) {
  const std::string folder = test::real_data("segmentation");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "needs " << folder;
  const auto data = open_annotated({.path = folder, .split = "val", .truth = TruthKind::kLabelMap});
  ASSERT_EQ(data->size(), 120u);
  std::set<int> values;
  for (std::size_t i = 0; i < data->size(); ++i) {
    const LabelMap map = data->label_map(i);
    const Image image = data->decode(i);
    EXPECT_EQ(map.width, image.width) << data->name(i);
    EXPECT_EQ(map.height, image.height) << data->name(i);
    EXPECT_EQ(map.classes.size(), image.rgb.size() / 3);
    values.insert(map.classes.begin(), map.classes.end());
  }
  EXPECT_EQ(values, (std::set<int>{0, 15, 255}));
}

}  // namespace
}  // namespace gpueval
