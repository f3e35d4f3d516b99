// SPDX-License-Identifier: Apache-2.0
#include "io/annotated_files.h"

namespace gpueval {
namespace {

using test::error_of;

std::string object_xml(const std::string& name, const std::string& corners, const std::string& more = "") {
  std::string box;
  std::size_t at = 0;
  for (const char* tag : {"xmin", "ymin", "xmax", "ymax"}) {
    const auto end = std::min(corners.find(' ', at), corners.size());
    box += std::string("<") + tag + ">" + corners.substr(at, end - at) + "</" + tag + ">";
    at = std::min(end + 1, corners.size());
  }
  return "<object><name>" + name + "</name>" + more + "<bndbox>" + box + "</bndbox></object>";
}

std::string annotation_xml(const std::string& objects,
                           const std::string& size = "<width>40</width><height>30</height>") {
  return "<?xml version=\"1.0\"?>\n<annotation><size>" + size + "</size>\n" + objects + "\n</annotation>\n";
}

class VocBoxes : public test::AnnotatedTest {
 protected:
  VocBoxes() {
    for (const char* id : {"a", "b", "c"}) picture(std::string("JPEGImages/") + id + ".png", 40, 30);
    xml("a", object_xml("dog", "1 2 11.5 22", "<difficult>1</difficult>") + object_xml("cat", "0 0 40 30"));
    xml("b", "");
    xml("c",
        object_xml("cat", "3 3 5 6",
                   "<part><name>head</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>8</xmax><ymax>8</ymax></bndbox>"
                   "</part><difficult> 0 </difficult>"));
    text("ImageSets/Main/val.txt", "c\n\na 1\n");
    text("ImageSets/Main/train.txt", "b -1\n");
  }
  void xml(const std::string& id, const std::string& objects) const {
    text("Annotations/" + id + ".xml", annotation_xml(objects));
  }
  // What is said of c.xml with this object.
  std::string object_error(const std::string& object) const {
    xml("c", object);
    const std::string error = boxes_error("val"), file = folder_ / "Annotations/c.xml";
    EXPECT_EQ(error.find(file + ": "), 0u) << error;
    return error.substr(std::min(file.size() + 2, error.size()));
  }
};

TEST_F(VocBoxes, OfASplitInItsOrder) {
  const auto data = open(TruthKind::kBoxes, "val");
  ASSERT_EQ(data->size(), 2u);
  EXPECT_EQ(data->name(0), "JPEGImages/c.png");
  EXPECT_EQ(data->image_id(0), 1);
  EXPECT_EQ(data->image_id(1), 3) << "the line";
  EXPECT_EQ(data->kind(), "voc");
  EXPECT_EQ(data->path(), path());
  EXPECT_EQ(data->truth(), TruthKind::kBoxes);
  EXPECT_FALSE(data->labelled());
  EXPECT_EQ(data->label(0), -1);
  EXPECT_FALSE(data->images_are_cropped());
  EXPECT_EQ(data->decode(1).width, 40);
  EXPECT_EQ(data->content(0), test::read_bytes(folder_ / "JPEGImages/c.png"));
  EXPECT_EQ(data->content_bytes(0), data->content(0).size());
  const auto boxes = data->boxes(1);
  ASSERT_EQ(boxes.size(), 2u);
  EXPECT_EQ(boxes[0].box, (Box{1, 2, 10.5, 20}));
  EXPECT_EQ(boxes[0].area, 210);
  EXPECT_TRUE(boxes[0].difficult);
  EXPECT_FALSE(boxes[1].difficult);
  ASSERT_EQ(data->boxes(0).size(), 1u) << "not the part";
  EXPECT_EQ(data->boxes(0)[0].box, (Box{3, 3, 2, 3}));
  EXPECT_EQ(data->ground_truth().notes, (std::vector<std::string>{"1 of 3 boxes is marked as difficult."}));
  EXPECT_EQ(error_of([&] { data->label_map(0); }), path() + ": JPEGImages/c.png has no label map");
}

TEST_F(VocBoxes, OfAllThatHaveAnAnnotation) {
  picture("JPEGImages/d.png");
  const auto data = open(TruthKind::kBoxes);
  ASSERT_EQ(data->size(), 3u);
  EXPECT_EQ(data->name(1), "JPEGImages/b.png");
  EXPECT_EQ(data->image_id(2), 3);
  EXPECT_TRUE(data->boxes(1).empty());
  EXPECT_EQ(data->ground_truth().notes.back(), "1 of 3 pictures has no box and is judged, too.");
}

TEST_F(VocBoxes, ClassesAreTheNetworksOrTheDatasOwn) {
  const auto voc = open(TruthKind::kBoxes, "val");
  EXPECT_EQ(voc->class_names().size(), 20u) << "all of them are VOC's";
  EXPECT_EQ(voc->class_names()[static_cast<std::size_t>(voc->boxes(1)[0].category)], "dog");
  EXPECT_EQ(voc->category_id(0), 1);
  xml("a", object_xml("zebra", "1 1 2 2") + object_xml("cat", "1 1 2 2"));
  const auto own = open(TruthKind::kBoxes, "val");
  EXPECT_EQ(own->class_names(), (std::vector<std::string>{"cat", "zebra"}));
  EXPECT_EQ(own->boxes(1)[0].category, 1);
  const std::vector<std::string> classes{"zebra", "lion", "cat"};
  const auto named = open_annotated({.path = path(), .split = "val", .classes = classes});
  EXPECT_EQ(named->class_names(), classes);
  EXPECT_EQ(named->boxes(1)[0].category, 0);
  EXPECT_EQ(named->boxes(1)[1].category, 2);
  EXPECT_EQ(boxes_error("val", {"zebras", "cat"}),
            folder_ / "Annotations/a.xml" +
                ": object 1 is a 'zebra', expected one of the 2 classes zebras, cat; did you mean zebras?");
}

TEST_F(VocBoxes, WrappedInFolders) {
  const std::string inner = folder_ / "VOCdevkit/VOC2012";
  std::filesystem::create_directories(inner);
  for (const char* name : {"JPEGImages", "Annotations", "ImageSets"})
    std::filesystem::rename(folder_ / name, inner + "/" + name);
  EXPECT_EQ(open(TruthKind::kBoxes, "val")->name(0), "VOCdevkit/VOC2012/JPEGImages/c.png");
  EXPECT_EQ(open(TruthKind::kBoxes, "val")->decode(0).height, 30);
  for (const char* name : {"JPEGImages", "Annotations"})
    std::filesystem::create_directories(folder_ / (std::string("VOCdevkit/VOC2007/") + name));
  EXPECT_EQ(boxes_error("val"), folder_ / "VOCdevkit" + ": holds several data sets, name one of VOC2007, VOC2012");
}

TEST_F(VocBoxes, WrongSplitsAreErrors) {
  const std::string lists = folder_ / "ImageSets/Main/";
  EXPECT_EQ(boxes_error("vall"), lists + "vall.txt: no such list; there are train, val; did you mean val?");
  text("ImageSets/Main/twice.txt", "a\nb 1\nb -1\n");
  EXPECT_EQ(boxes_error("twice"), lists + "twice.txt: line 3: b stands in line 2 already");
  text("ImageSets/Main/empty.txt", "\n \n");
  EXPECT_EQ(boxes_error("empty"), lists + "empty.txt: is empty, expected one entry a line");
  text("ImageSets/Main/more.txt", "a\nx\ny 2\n");
  EXPECT_EQ(boxes_error("more"), folder_ / "JPEGImages" +
                                     ": 2 of 3 pictures are missing, the first is x (.jpg, .jpeg or .png), which " +
                                     lists + "more.txt names");
  remove("ImageSets");
  EXPECT_NE(boxes_error("val").find("leave the split out for all"), std::string::npos);
}

TEST_F(VocBoxes, MissingFilesAreErrors) {
  remove("Annotations/a.xml");
  EXPECT_EQ(boxes_error("val"), folder_ / "Annotations" + ": 1 of 2 annotations is missing, the first is a.xml");
  picture("JPEGImages/c.jpg");
  EXPECT_EQ(boxes_error("val"), folder_ / "JPEGImages" + ": expected one picture c, found several extensions of it");
  remove("Annotations");
  std::filesystem::create_directories(folder_ / "Annotations");
  EXPECT_EQ(boxes_error(), folder_ / "Annotations" + ": expected annotations of pictures (*.xml), found none");
}

TEST_F(VocBoxes, WrongBoxesAreErrors) {
  EXPECT_EQ(object_error(object_xml("cat", "1 1 2 2") + object_xml("cat", "5 1 5 2")),
            "object 2: expected xmin < xmax and ymin < ymax, found x 5 to 5, y 1 to 2");
  EXPECT_NE(object_error(object_xml("cat", "5 4 6 3")).find("found x 5 to 6, y 4 to 3"), std::string::npos);
  for (const char* number : {"nan", "inf", "1e999", "", "x", "1,5", "0x1", "1 2"}) {
    EXPECT_EQ(object_error("<object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>" + std::string(number) +
                           "</xmax><ymax>3</ymax></bndbox></object>"),
              "object 1: expected a number in <bndbox><xmax>, found '" + std::string(number) + "'");
  }
  EXPECT_EQ(object_error(object_xml("cat", "1 1 41.5 2")),
            "object 1: the box x 1 to 41.5, y 1 to 2 is not inside of the picture's 40 x 30 pixels");
  EXPECT_NE(object_error(object_xml("cat", "1 -1.5 2 2")).find("is not inside"), std::string::npos);
  xml("c", object_xml("cat", "-1 -1 41 31"));
  EXPECT_EQ(open(TruthKind::kBoxes, "val")->boxes(0)[0].box, (Box{-1, -1, 42, 32})) << "as the file has them";
}

TEST_F(VocBoxes, WrongXmlIsAnError) {
  EXPECT_EQ(object_error("<object><bndbox/></object>"), "object 1: has no <name>");
  EXPECT_EQ(object_error("<object><name>cat</name></object>"), "object 1: has no <bndbox>");
  EXPECT_EQ(object_error(object_xml("cat", "1 1 2 2", "<difficult>yes</difficult>")),
            "object 1: expected <difficult> to be 0 or 1, found 'yes'");
  EXPECT_NE(object_error("<object>").find("expected XML, found at byte "), std::string::npos);
  text("Annotations/c.xml", "<annotations/>");
  EXPECT_EQ(boxes_error("val"), folder_ / "Annotations/c.xml" + ": expected an <annotation>, found <annotations>");
  text("Annotations/c.xml", "");
  EXPECT_NE(boxes_error("val").find("c.xml: expected XML"), std::string::npos);
  text("Annotations/c.xml", annotation_xml("", "<width>-4</width>"));
  EXPECT_NE(boxes_error("val").find("expected <width> of the picture in whole pixels, found '-4'"), std::string::npos);
  text("Annotations/c.xml", std::string(8'000'001, ' '));
  EXPECT_NE(boxes_error("val").find("expected at most 8000000"), std::string::npos);
  for (const char* id : {"a", "c"}) xml(id, "");
  EXPECT_EQ(boxes_error("val"), folder_ / "Annotations" + ": expected boxes, but none of 2 annotations has one");
}

// The file's size is not the picture's, or it has none.
TEST_F(VocBoxes, ArePicturesOfTheirOwnSize) {
  picture("JPEGImages/c.png", 30, 40);
  const auto data = open(TruthKind::kBoxes, "val");
  EXPECT_EQ(error_of([&] { data->decode(0); }), folder_ / "Annotations/c.xml" +
                                                    ": is of a picture of 40 x 30 pixels, but " +
                                                    folder_ / "JPEGImages/c.png" + " has 30 x 40");
  for (const char* size : {"", "<width>0</width><height>0</height>"}) {
    text("Annotations/c.xml", annotation_xml(object_xml("cat", "1 1 31 41"), size));
    EXPECT_EQ(open(TruthKind::kBoxes, "val")->decode(0).width, 30);
    text("Annotations/c.xml", annotation_xml(object_xml("cat", "1 1 32 41"), size));
    const auto beyond = open(TruthKind::kBoxes, "val");
    EXPECT_EQ(error_of([&] { beyond->decode(0); }),
              folder_ / "Annotations/c.xml" +
                  ": object 1: the box x 1 to 32, y 1 to 41 is not inside of the picture's 30 x 40 pixels");
  }
}

// Of pictures that are turned by their EXIF orientation, some tools drew on the stored pixels, others on the turned.
TEST_F(VocBoxes, AreOfThePictureAsStoredOrAsTurned) {
  const Image turned = read_image(test::data_golden("orientation6.jpg"));
  const int width = turned.width, height = turned.height;
  ASSERT_NE(width, height);
  remove("JPEGImages/c.png");
  std::filesystem::copy_file(test::data_golden("orientation6.jpg"), folder_ / "JPEGImages/c.jpg");
  const auto decoded = [&](int w, int h) {
    text("Annotations/c.xml",
         annotation_xml(object_xml("cat", "1 1 2 2"),
                        "<width>" + std::to_string(w) + "</width><height>" + std::to_string(h) + "</height>"));
    return open(TruthKind::kBoxes, "val")->decode(0);
  };
  EXPECT_EQ(decoded(width, height).rgb, turned.rgb);
  for (int orientation = 5; orientation <= 8; ++orientation) {
    const std::string name = "orientation" + std::to_string(orientation) + ".jpg";
    std::filesystem::copy_file(test::data_golden(name), folder_ / "JPEGImages/c.jpg",
                               std::filesystem::copy_options::overwrite_existing);
    const Image upright = read_image(test::data_golden(name)), stored = decoded(upright.height, upright.width);
    EXPECT_EQ(stored.width, upright.height);
    // The upper left pixel goes to where the orientation says.
    const auto at = [](const Image& image, int x, int y) {
      return image.rgb[3 * static_cast<std::size_t>(y * image.width + x)];
    };
    const int right = upright.width - 1, bottom = upright.height - 1;
    const int x = orientation == 5 || orientation == 8 ? 0 : right,
              y = orientation == 5 || orientation == 6 ? 0 : bottom;
    EXPECT_EQ(at(stored, 0, 0), at(upright, x, y)) << orientation;
    EXPECT_EQ(at(stored, 5, 2), at(upright, x == 0 ? 2 : right - 2, y == 0 ? 5 : bottom - 5)) << orientation;
  }
}

TEST_F(VocBoxes, StateTellsEveryFile) {
  const auto state = [&] { return open(TruthKind::kBoxes, "val")->state(); };
  const std::string before = state();
  EXPECT_EQ(state(), before);
  xml("c", object_xml("cat", "3 3 5 7"));
  const std::string after = state();
  EXPECT_NE(after, before);
  picture("JPEGImages/a.png", 40, 30);
  EXPECT_NE(state(), after);
}

class VocLabelMaps : public test::AnnotatedTest {
 protected:
  VocLabelMaps() {
    for (const char* id : {"a", "b"}) {
      picture(std::string("JPEGImages/") + id + ".png");
      mask(std::string("SegmentationClass/") + id + ".png", id[0] == 'a' ? 15 : 255);
    }
    picture("JPEGImages/c.png");
    text("ImageSets/Segmentation/val.txt", "b\n");
  }
};

TEST_F(VocLabelMaps, OfASplitAndOfAll) {
  const auto data = open(TruthKind::kLabelMap, "val");
  ASSERT_EQ(data->size(), 1u);
  EXPECT_EQ(data->truth(), TruthKind::kLabelMap);
  EXPECT_EQ(data->kind(), "voc");
  EXPECT_EQ(data->image_id(0), 1);
  EXPECT_TRUE(data->class_names().empty());
  const LabelMap map = data->label_map(0);
  EXPECT_EQ(map.width, 4);
  EXPECT_EQ(map.height, 3);
  EXPECT_EQ(map.classes, std::vector<std::uint8_t>(12, LabelMap::kVoid));
  EXPECT_EQ(open(TruthKind::kLabelMap)->size(), 2u);
  EXPECT_THROW(data->boxes(0), Error);
}

TEST_F(VocLabelMaps, TakeAMap) {
  const auto data = open_annotated({.path = path(),
                                    .truth = TruthKind::kLabelMap,
                                    .classes = {"background", "person"},
                                    .map = parse_class_map("15:1,255:void,other:0")});
  EXPECT_EQ(data->label_map(0).classes[0], 1);
  EXPECT_EQ(data->label_map(1).classes[0], LabelMap::kVoid);
  EXPECT_EQ(data->class_names(), (std::vector<std::string>{"background", "person"}));
  EXPECT_NE(data->state(), open(TruthKind::kLabelMap)->state());
}

TEST_F(VocLabelMaps, MissingAndWrongOnesAreErrors) {
  mask("SegmentationClass/b.png", 1, 5, 3);
  const auto data = open(TruthKind::kLabelMap, "val");
  EXPECT_EQ(error_of([&] { data->label_map(0); }), folder_ / "SegmentationClass/b.png" +
                                                       ": expected a mask of 4 x 3 pixels as " +
                                                       folder_ / "JPEGImages/b.png" + " has, found 5 x 3");
  EXPECT_THROW(data->decode(0), Error);
  picture("SegmentationClass/b.png");
  EXPECT_NE(error_of([&] { data->label_map(0); }).find("expected a palette or grey PNG of class ids"),
            std::string::npos);
  remove("SegmentationClass/b.png");
  EXPECT_EQ(maps_error("val"), folder_ / "SegmentationClass" + ": 1 of 1 masks is missing, the first is b.png");
  EXPECT_EQ(maps_error("test"), folder_ / "ImageSets/Segmentation/test.txt" + ": no such list; there are val");
}

TEST_F(VocLabelMaps, OfATurnedPictureFitEitherWay) {
  remove("JPEGImages/b.png");
  std::filesystem::copy_file(test::data_golden("orientation6.jpg"), folder_ / "JPEGImages/b.jpg");
  const Image turned = read_image(folder_ / "JPEGImages/b.jpg");
  for (const bool stored : {false, true}) {
    const int width = stored ? turned.height : turned.width, height = stored ? turned.width : turned.height;
    mask("SegmentationClass/b.png", 7, width, height);
    const auto data = open(TruthKind::kLabelMap, "val");
    EXPECT_EQ(data->label_map(0).width, width);
    EXPECT_EQ(data->decode(0).width, width);
  }
}

}  // namespace
}  // namespace gpueval
