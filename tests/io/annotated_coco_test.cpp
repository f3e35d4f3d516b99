// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/coco.h"

#include "io/annotated_files.h"

namespace gpueval {
namespace {

using test::error_of;

constexpr const char* kImages =
    R"({"id": 7, "file_name": "b.png", "width": 4, "height": 3}, {"id": 3, "file_name": "a.png"})";
constexpr const char* kAnnotations =
    R"({"id": 1, "image_id": 7, "category_id": 18, "bbox": [1, 0.5, 2, 1.25], "area": 1.5, "iscrowd": 0,
        "segmentation": [[1, 2, 3, 4], [5, 6.5]]},
       {"segmentation": {"counts": "ab[{", "size": [3, 4], "id": 9, "bbox": [1]}, "id": 2, "image_id": 3,
        "category_id": 1, "bbox": [0, 0, 0, 0], "area": 0, "iscrowd": 1},
       {"id": 3, "image_id": 7, "category_id": 1, "bbox": [0, 0, 2, 3]})";
constexpr const char* kCategories =
    R"({"supercategory": "animal", "id": 18, "name": "dog"}, {"id": 1, "name": "person"})";

std::string coco_json(const std::string& images, const std::string& annotations, const std::string& categories) {
  return R"({"info": {"year": 2017, "images": [1]}, "licenses": [{"id": 1}], "images": [)" + images +
         "], \"annotations\": [" + annotations + "], \"categories\": [" + categories + "]}";
}

class Coco : public test::AnnotatedTest {
 protected:
  Coco() {
    for (const char* name : {"a.png", "b.png"}) picture(std::string("val2017/") + name);
    json(coco_json(kImages, kAnnotations, kCategories));
  }
  void json(const std::string& content) const { text("annotations/instances_val2017.json", content); }
  std::string file() const { return folder_ / "annotations/instances_val2017.json"; }
  // What is said of a file, behind its name.
  std::string json_error(const std::string& content) const {
    json(content);
    const std::string error = boxes_error();
    EXPECT_EQ(error.find(file() + ": "), 0u) << error;
    return error.substr(std::min(file().size() + 2, error.size()));
  }
  std::string annotation_error(const std::string& fields) const {
    return json_error(coco_json(kImages, "{" + fields + "}", kCategories));
  }
};

TEST_F(Coco, PicturesAreInTheOrderOfTheirIds) {
  const auto data = open(TruthKind::kBoxes);
  ASSERT_EQ(data->size(), 2u);
  EXPECT_EQ(data->name(0), "val2017/a.png");
  EXPECT_EQ(data->image_id(0), 3);
  EXPECT_EQ(data->image_id(1), 7);
  EXPECT_EQ(data->kind(), "coco");
  EXPECT_EQ(data->class_names(), (std::vector<std::string>{"person", "dog"}));
  EXPECT_EQ(data->category_id(0), 1);
  EXPECT_EQ(data->category_id(1), 18);
  EXPECT_EQ(data->decode(1).width, 4);
  const auto boxes = data->boxes(1);
  ASSERT_EQ(boxes.size(), 2u);
  EXPECT_EQ(boxes[0].box, (Box{1, 0.5, 2, 1.25}));
  EXPECT_EQ(boxes[0].area, 1.5) << "the mask's";
  EXPECT_EQ(boxes[0].category, 1);
  EXPECT_FALSE(boxes[0].crowd);
  EXPECT_EQ(boxes[1].area, 6) << "the box's";
  ASSERT_EQ(data->boxes(0).size(), 1u);
  EXPECT_TRUE(data->boxes(0)[0].crowd);
  EXPECT_EQ(data->ground_truth().notes, (std::vector<std::string>{"1 of 3 boxes is of a crowd."}));
}

TEST_F(Coco, ClassesOfTheNetworkAreMatchedByName) {
  const std::vector<std::string> classes{"cat", "dog", "person"};
  const auto data = open_annotated({.path = path(), .split = "val2017", .classes = classes});
  EXPECT_EQ(data->class_names(), classes);
  EXPECT_EQ(data->boxes(1)[0].category, 1);
  EXPECT_EQ(data->category_id(1), 18);
  EXPECT_EQ(data->category_id(0), 19) << "none of the file's";
  EXPECT_EQ(
      boxes_error("", {"dog", "persons"}),
      file() +
          ": the category 'person' has 2 boxes, expected one of the 2 classes dog, persons; did you mean persons?");
  json(coco_json(kImages, "", kCategories));
  EXPECT_EQ(open_annotated({.path = path(), .classes = {"dog"}})->ground_truth().notes.front(),
            "2 of 2 pictures have no box and are judged, too.");
}

TEST_F(Coco, SplitsAndFoldersOfPictures) {
  EXPECT_EQ(boxes_error("val2014"), folder_ / "annotations" +
                                        "/instances_val2014.json: no such file; there are the splits "
                                        "val2017; did you mean val2017?");
  std::filesystem::create_directories(folder_ / "images");
  std::filesystem::rename(folder_ / "val2017", folder_ / "images/val2017");
  EXPECT_EQ(open(TruthKind::kBoxes)->name(0), "images/val2017/a.png");
  text("annotations/instances_train2017.json", "{}");
  text("annotations/captions_val2017.json", "{}");
  EXPECT_EQ(boxes_error(),
            folder_ / "annotations" + ": expected the name of a split, as there are several: train2017, val2017");
  EXPECT_EQ(boxes_error("train2017"),
            path() + ": expected the folder train2017 of pictures beside annotations, found none");
  const auto named = open_annotated({.path = folder_ / "images/val2017", .annotations = file()});
  EXPECT_EQ(named->name(1), "b.png");
  EXPECT_EQ(named->decode(1).height, 3);
  remove("images/val2017/b.png");
  EXPECT_EQ(boxes_error("val2017"),
            folder_ / "images/val2017" + ": 1 of 2 pictures is missing, the first is images/val2017/b.png");
}

TEST_F(Coco, TruthWithoutPictures) {
  const auto data = data::open_coco_truth(file(), {"dog", "person"});
  EXPECT_EQ(data->name(0), "a.png");
  EXPECT_EQ(data->path(), file());
  EXPECT_EQ(data->boxes(1)[0].category, 0);
  EXPECT_EQ(data->content_bytes(0), 0u);
  EXPECT_TRUE(data->content(0).empty());
  EXPECT_EQ(error_of([&] { data->decode(0); }), file() + ": a.png is not read, only the truth");
  const std::string before = data->state();
  json(coco_json(kImages, "", kCategories));
  EXPECT_NE(data::open_coco_truth(file(), {"dog", "person"})->state(), before);
}

TEST_F(Coco, WrongAnnotationsNameTheirPlace) {
  const std::string whole = R"("image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 1])";
  EXPECT_EQ(annotation_error(R"("image_id": 8, "category_id": 1, "bbox": [0, 0, 1, 1])"),
            "annotations[0]: 'image_id' 8 is no image of the file");
  EXPECT_EQ(annotation_error(R"("image_id": 7, "category_id": 2, "bbox": [0, 0, 1, 1])"),
            "annotations[0]: 'category_id' 2 is no category of the file");
  EXPECT_EQ(annotation_error(whole + "}, {"), "annotations[1]: has no 'bbox'");
  EXPECT_EQ(annotation_error(R"("category_id": 2, "bbox": [0, 0, 1, 1])"), "annotations[0]: has no 'image_id'");
  EXPECT_EQ(annotation_error("\"id\": 4, " + whole + "}, {\"id\": 4, " + whole), "annotations have the id 4 twice");
  const auto box_error = [&](const std::string& box) { return annotation_error("\"bbox\": " + box); };
  EXPECT_EQ(box_error("[1, 2, 3]"), "annotations[0]: 'bbox': expected four numbers, found 3 of them");
  EXPECT_EQ(box_error("[1, 2, 3, 4, 5]"), "annotations[0]: 'bbox': expected four numbers, found more");
  EXPECT_EQ(box_error("[1, 2, null, 4]"), "annotations[0]: 'bbox': expected four numbers, found null");
  EXPECT_EQ(box_error("[1, 2, [3], 4]"), "annotations[0]: 'bbox': expected four numbers, found a list");
  EXPECT_EQ(box_error("7"), "annotations[0]: 'bbox': expected a list of four numbers, found 7");
  EXPECT_EQ(box_error("[0, 0, -1, 2]"),
            "annotations[0]: 'bbox': expected a width and height of at least 0, found -1 and 2");
  EXPECT_NE(box_error("[0, 0, NaN, 2]").find("expected JSON: parse error"), std::string::npos);
  EXPECT_NE(box_error("[0, 0, 1e999, 2]").find("expected JSON: number overflow"), std::string::npos);
  EXPECT_EQ(annotation_error("\"iscrowd\": 2"), "annotations[0]: 'iscrowd': expected 0 or 1, found 2");
  EXPECT_EQ(annotation_error("\"area\": \"1\""), "annotations[0]: 'area': expected a number, found a text");
  EXPECT_EQ(annotation_error(whole + ", \"area\": -1"), "annotations[0]: 'area': expected at least 0, found -1");
  EXPECT_EQ(annotation_error("\"image_id\": 1.5"), "annotations[0]: 'image_id': expected a whole number, found 1.5");
  EXPECT_EQ(annotation_error("\"id\": {}"), "annotations[0]: 'id': expected a whole number, found an object");
}

TEST_F(Coco, WrongListsAreErrors) {
  EXPECT_EQ(json_error(coco_json("", "", kCategories)), "has no images");
  EXPECT_EQ(json_error("{\"images\": []}"), "has no list 'annotations', as COCO's instances_*.json");
  EXPECT_EQ(json_error("[]"), "expected COCO's object of lists, found a list");
  EXPECT_EQ(json_error("7"), "expected COCO's object of lists, found a number");
  EXPECT_EQ(json_error("{\"images\": {}}"), "images: expected a list, found an object");
  EXPECT_EQ(json_error("{\"images\": 7}"), "images: expected a list, found a number");
  EXPECT_EQ(json_error("{\"images\": [7]}"), "images[0]: expected an object, found a number");
  EXPECT_EQ(json_error("{\"images\": [[]]}"), "images[0]: expected an object, found a list");
  EXPECT_EQ(json_error("{\"images\": [], \"images\": []}"), "has two lists 'images'");
  EXPECT_EQ(json_error(coco_json(R"({"id": 1})", "", "")), "images[0]: has no 'file_name'");
  EXPECT_EQ(json_error(coco_json(R"({"id": 9223372036854775807, "file_name": "a.png"})", "", "")),
            "images[0]: 'id': expected a whole number, found 9.223372036854776e+18");
  EXPECT_EQ(json_error(coco_json(R"({"id": 1, "file_name": "a.png", "width": 1.5})", "", "")),
            "images[0]: 'width': expected whole pixels, found 1.5");
  EXPECT_EQ(json_error(coco_json(R"({"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "b.png"})", "", "")),
            "images have the id 1 twice");
  EXPECT_EQ(json_error(coco_json(kImages, "", R"({"id": 1, "name": "a"}, {"id": 1, "name": "b"})")),
            "categories have the id 1 twice");
  EXPECT_EQ(json_error(coco_json(kImages, "", R"({"id": 1, "name": "a"}, {"id": 2, "name": "a"})")),
            "two categories have the name 'a'");
  for (const char* name : {"../a.png", "/etc/passwd", "x/../../a.png", ""}) {
    EXPECT_EQ(json_error(coco_json(std::string(R"({"id": 1, "file_name": ")") + name + "\"}", "", "")),
              std::string("the image 1 has the file name '") + name + "', which is none of the folder");
  }
  const std::string whole = coco_json(kImages, kAnnotations, kCategories);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    const data::MemorySource source({reinterpret_cast<const std::uint8_t*>(cut.data()), cut.size()}, "x.json");
    EXPECT_EQ(error_of([&] { data::read_coco(source); }).find("x.json: expected JSON: parse error"), 0u) << cut;
  }
}

TEST_F(Coco, OfAnotherPictureIsAnError) {
  picture("val2017/b.png", 5, 3);
  const auto data = open(TruthKind::kBoxes);
  EXPECT_EQ(error_of([&] { data->decode(1); }),
            file() + ": is of a picture of 4 x 3 pixels, but " + folder_ / "val2017/b.png" + " has 5 x 3");
  EXPECT_EQ(data->decode(0).width, 4) << "no size is known";
}

}  // namespace
}  // namespace gpueval
