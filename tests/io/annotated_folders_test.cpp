// SPDX-License-Identifier: Apache-2.0
// Cityscapes, folders of masks, and what is none of the layouts.
#include "io/annotated_files.h"

namespace gpueval {
namespace {

using test::error_of;

class Cityscapes : public test::AnnotatedTest {
 protected:
  Cityscapes() {
    for (const char* name : {"val/ulm/ulm_0_1", "val/aachen/aachen_0_2", "val/ulm/ulm_0_0"})
      picture(std::string("leftImg8bit/") + name + "_leftImg8bit.png");
  }
  void masks(const std::string& end, std::uint8_t first, const std::string& split = "val") const {
    for (const char* name : {"/aachen/aachen_0_2", "/ulm/ulm_0_0", "/ulm/ulm_0_1"})
      mask("gtFine/" + split + name + "_gtFine_" + end + ".png", first++);
  }
};

TEST_F(Cityscapes, OfTrainIds) {
  masks("labelIds", 0);
  masks("labelTrainIds", 17);
  for (const auto& data : {open(TruthKind::kLabelMap), open(TruthKind::kLabelMap, "val")}) {
    ASSERT_EQ(data->size(), 3u);
    EXPECT_EQ(data->kind(), "cityscapes");
    EXPECT_EQ(data->name(1), "leftImg8bit/val/ulm/ulm_0_0_leftImg8bit.png");
    EXPECT_EQ(data->label_map(0).classes[0], 17);
    EXPECT_EQ(data->label_map(2).classes[0], 19) << "the caller's to refuse";
    EXPECT_EQ(data->class_names().size(), 19u);
    EXPECT_EQ(data->class_names().back(), "bicycle");
  }
}

TEST_F(Cityscapes, OfLabelIds) {
  masks("labelIds", 32);
  const auto data = open(TruthKind::kLabelMap);
  EXPECT_EQ(data->label_map(0).classes[0], 17);
  EXPECT_EQ(data->label_map(1).classes[0], 18);
  EXPECT_EQ(data->label_map(2).classes[0], LabelMap::kVoid);
  const std::vector<int> label_ids{7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33};
  std::vector<std::uint8_t> values(256);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i);
  picture("leftImg8bit/val/ulm/ulm_0_0_leftImg8bit.png", 256, 1);
  test::write_png(folder_ / "gtFine/val/ulm/ulm_0_0_gtFine_labelIds.png", 256, 1, values);
  const LabelMap map = data->label_map(1);
  for (int i = 0; i < 256; ++i) {
    const auto at = std::find(label_ids.begin(), label_ids.end(), i);
    EXPECT_EQ(map.classes[static_cast<std::size_t>(i)], at == label_ids.end() ? 255 : at - label_ids.begin()) << i;
  }
}

TEST_F(Cityscapes, AMapIsOfTheTrainIds) {
  masks("labelIds", 32);
  const auto data =
      open_annotated({.path = path(), .truth = TruthKind::kLabelMap, .map = parse_class_map("18:0,17:1,255:3")});
  EXPECT_EQ(data->label_map(0).classes[0], 1);
  EXPECT_EQ(data->label_map(1).classes[0], 0);
  EXPECT_EQ(data->label_map(2).classes[0], 3);
  EXPECT_TRUE(data->class_names().empty());
}

TEST_F(Cityscapes, WhatIsMissingIsAnError) {
  std::filesystem::create_directories(folder_ / "gtFine");
  EXPECT_EQ(maps_error(), folder_ / "gtFine/val" +
                              ": 3 of 3 masks are missing, the first is "
                              "aachen/aachen_0_2_gtFine_labelIds.png");
  masks("labelTrainIds", 0);
  remove("gtFine/val/ulm/ulm_0_1_gtFine_labelTrainIds.png");
  EXPECT_EQ(maps_error("val"), folder_ / "gtFine/val" +
                                   ": 1 of 3 masks is missing, the first is "
                                   "ulm/ulm_0_1_gtFine_labelTrainIds.png");
  EXPECT_EQ(maps_error("vale"), folder_ / "leftImg8bit" + ": has no split vale; there are val; did you mean val?");
  std::filesystem::create_directories(folder_ / "leftImg8bit/test");
  EXPECT_EQ(maps_error(), folder_ / "leftImg8bit" + ": expected the name of a split, as there are several: test, val");
  EXPECT_EQ(maps_error("test"), folder_ / "leftImg8bit/test" + ": expected CITY/*_leftImg8bit.png, found none");
  EXPECT_EQ(boxes_error(), path() + ": expected boxes, found those of Cityscapes, which has label maps alone");
}

class MaskFolder : public test::AnnotatedTest {
 protected:
  void pair(const std::string& split, const std::string& stem, std::uint8_t value) const {
    picture("images" + split + "/" + stem + ".jpg");  // told by its first bytes
    mask("masks" + split + "/" + stem + ".png", value);
  }
};

TEST_F(MaskFolder, PairsByStem) {
  pair("", "b", 2);
  pair("", "a.x", 1);
  mask("masks/c.png", 3);
  const auto data = open(TruthKind::kLabelMap);
  ASSERT_EQ(data->size(), 2u);
  EXPECT_EQ(data->kind(), "masks");
  EXPECT_EQ(data->name(0), "images/a.x.jpg");
  EXPECT_EQ(data->label_map(0).classes[0], 1);
  EXPECT_EQ(data->decode(1).width, 4);
  EXPECT_EQ(data->ground_truth().notes,
            (std::vector<std::string>{"1 of 3 masks of " + folder_ / "masks" + " is of no picture and passed over."}));
  remove("masks/b.png");
  EXPECT_EQ(maps_error(), folder_ / "masks" + ": 1 of 2 masks is missing, the first is b.png, the mask of b.jpg");
  pair("", "b", 2);
  picture("images/b.png");
  EXPECT_EQ(maps_error(), folder_ / "images" + ": expected one picture b, found several extensions of it");
}

// Foreground that is taken for void would make any answer perfect.
TEST_F(MaskFolder, TwoValuesOfWhichOneIsVoidAreAsked) {
  for (int i = 0; i < 40; ++i) pair("", "p" + std::to_string(i), i == 1 ? 255 : 0);
  EXPECT_EQ(open(TruthKind::kLabelMap)->size(), 40u) << "16 of the masks are looked at, not this one";
  for (int i = 0; i < 40; i += 2) mask("masks/p" + std::to_string(i) + ".png", 255);
  EXPECT_EQ(maps_error(), folder_ / "masks" +
                              ": its masks have the values 0 and 255 alone, and 255 is void, which is not judged: "
                              "map-classes 255:1 makes it class 1, map-classes 255:void says that it is void");
  for (const auto& [map, value] : {std::pair{"255:1", 1}, std::pair{"255:void", 255}}) {
    const auto data = open_annotated({.path = path(), .truth = TruthKind::kLabelMap, .map = parse_class_map(map)});
    EXPECT_EQ(data->label_map(0).classes[0], value);
  }
  mask("masks/p0.png", 1);
  EXPECT_EQ(open(TruthKind::kLabelMap)->size(), 40u) << "three values";
}

TEST_F(MaskFolder, SplitsAreSubFolders) {
  pair("/val", "a", 1);
  EXPECT_EQ(open(TruthKind::kLabelMap)->name(0), "images/val/a.jpg") << "the only one";
  pair("/train", "b", 2);
  EXPECT_EQ(open(TruthKind::kLabelMap, "train")->name(0), "images/train/b.jpg");
  EXPECT_EQ(maps_error(), folder_ / "images" + ": expected the name of a split, as there are several: train, val");
  EXPECT_EQ(maps_error("test"), folder_ / "images" + ": has no split test; there are train, val");
}

TEST_F(MaskFolder, StateTellsMasksAndTheirMap) {
  pair("", "a", 1);
  const auto state = [&](const char* map) {
    return open_annotated({.path = path(), .truth = TruthKind::kLabelMap, .map = parse_class_map(map)})->state();
  };
  const std::string before = state("1:2");
  EXPECT_EQ(state("1:2"), before);
  EXPECT_NE(state("1:3"), before);
  mask("masks/a.png", 7);
  EXPECT_NE(state("1:2"), before);
}

class NoLayout : public test::AnnotatedTest {};

TEST_F(NoLayout, SaysWhatIsExpectedAndThere) {
  EXPECT_NE(boxes_error().find(path() + ": expected JPEGImages beside Annotations (PASCAL VOC), "), std::string::npos);
  EXPECT_NE(boxes_error().find("found no folders"), std::string::npos);
  for (const char* name : {"images", "labels"}) std::filesystem::create_directories(folder_ / name);
  EXPECT_EQ(maps_error(), path() +
                              ": expected JPEGImages beside SegmentationClass (PASCAL VOC), leftImg8bit beside gtFine "
                              "(Cityscapes), or images beside masks, found the folders images, labels");
  EXPECT_EQ(error_of([&] { open_annotated({.path = folder_ / "gone"}); }),
            folder_ / "gone" + ": expected a folder of pictures with boxes or label maps, found nothing");
  text("file", "");
  EXPECT_NE(error_of([&] { open_annotated({.path = folder_ / "file"}); }).find("found a file"), std::string::npos);
  EXPECT_EQ(error_of([&] { open_annotated({.path = path(), .truth = TruthKind::kLabelMap, .annotations = "x.json"}); }),
            "x.json: holds boxes, but label maps are what is judged");
}

}  // namespace
}  // namespace gpueval
