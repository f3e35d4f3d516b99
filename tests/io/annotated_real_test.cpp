// SPDX-License-Identifier: Apache-2.0
// Photographs with boxes and with label maps.
#include <array>

#include "io/annotated_files.h"
#include "io/data/annotated/coco.h"

namespace gpueval {
namespace {

using Histogram = std::array<std::size_t, 256>;
Histogram histogram(const LabelMap& map) {
  Histogram counts{};
  for (const std::uint8_t value : map.classes) ++counts[value];
  return counts;
}

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

TEST(AnnotatedReal, PicturesHaveTheSizeOfTheirBoxes) {
  const std::string folder = test::real_data("detection");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "needs " << folder;
  const auto data = open_annotated({.path = folder});
  EXPECT_EQ(data->size(), 121u);
  for (std::size_t i = 0; i < data->size(); i += 5) EXPECT_NO_THROW(data->decode(i)) << data->name(i);
}

TEST(AnnotatedReal, LabelMapsAreOfVocsClassesAndByAMapOfPersons) {
  const std::string folder = test::real_data("segmentation");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "needs " << folder;
  const auto data = open_annotated({.path = folder, .split = "val", .truth = TruthKind::kLabelMap});
  const auto persons = open_annotated(
      {.path = folder, .split = "val", .truth = TruthKind::kLabelMap, .map = parse_class_map("15:1,255:void,other:0")});
  ASSERT_EQ(data->size(), 120u);
  for (std::size_t i = 0; i < data->size(); ++i) {
    const LabelMap map = data->label_map(i);
    const Histogram values = histogram(map), mapped = histogram(persons->label_map(i));
    for (std::size_t value = 21; value < LabelMap::kVoid; ++value) EXPECT_EQ(values[value], 0u) << data->name(i);
    EXPECT_EQ(mapped[1], values[15]) << data->name(i);
    EXPECT_EQ(mapped[LabelMap::kVoid], values[LabelMap::kVoid]) << data->name(i);
    EXPECT_EQ(mapped[0] + mapped[1] + mapped[LabelMap::kVoid], map.classes.size()) << data->name(i);
    if (i % 10 != 0) continue;
    const Image image = data->decode(i);
    EXPECT_EQ(map.width, image.width) << data->name(i);
    EXPECT_EQ(map.height, image.height) << data->name(i);
    EXPECT_EQ(map.classes.size(), image.rgb.size() / 3);
  }
}

}  // namespace
}  // namespace gpueval
