// SPDX-License-Identifier: Apache-2.0
#include "task/detection/detection_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "gpueval/error.h"

namespace gpueval {
namespace {

const std::vector<std::int64_t> kImages{10, 20}, kCategories{3, 7};

// Pictures and classes with numbers of their own.
class Numbered : public Dataset {
 public:
  std::size_t size() const override { return 2; }
  int label(std::size_t) const override { return -1; }
  Image decode(std::size_t) const override { return {}; }
  std::string name(std::size_t) const override { return "picture"; }
  std::string path() const override { return "numbered"; }
  std::string kind() const override { return "coco"; }
  bool images_are_cropped() const override { return false; }
  std::string state() const override { return ""; }
  std::int64_t image_id(std::size_t index) const override { return kImages[index]; }
  std::int64_t category_id(int category) const override { return kCategories[static_cast<std::size_t>(category)]; }
};

class DetectionFile : public ::testing::Test {
 protected:
  ~DetectionFile() override { std::filesystem::remove(path_); }
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  std::string message() const {
    try {
      read_detections(path_, kImages, kCategories);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("detections" + std::to_string(::getpid()) + ".json")).string();
};

TEST_F(DetectionFile, IsReadAsItWasWritten) {
  const std::vector<Detection> first{{0, 0.25, {1.5, -2, 3, 4.0625}}, {1, 1.0 / 3, {0.1, 0.2, 0.3, 0.4}}};
  {
    const Numbered data;
    DetectionWriter writer(path_, data);
    writer.append(0, first);
    writer.append(1, {});
    writer.append(1, std::vector<Detection>{{1, 1, {0, 0, 0, 0}}});
    writer.finish();
  }
  const auto found = read_detections(path_, kImages, kCategories);
  ASSERT_EQ(found.size(), 2u);
  ASSERT_EQ(found.at(10).size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(found.at(10)[i].category, first[i].category);
    EXPECT_EQ(found.at(10)[i].score, first[i].score);
    EXPECT_EQ(found.at(10)[i].box, first[i].box);
  }
  EXPECT_EQ(found.at(20).at(0).category, 1);
}

TEST_F(DetectionFile, OtherFieldsArePassedOver) {
  write(R"([{"image_id": 10, "segmentation": [[1, 2], {"bbox": [9]}], "category_id": 3, "score": 0.5, "id": 4,
             "bbox": [1, 2, 3, 4], "name": "x"}])");
  EXPECT_EQ(read_detections(path_, kImages, kCategories).at(10).size(), 1u);
  write("[]");
  EXPECT_TRUE(read_detections(path_, kImages, kCategories).empty());
}

TEST_F(DetectionFile, FaultsAreNamed) {
  const std::string good = R"([{"image_id": 10, "category_id": 3, "score": 0.5, "bbox": [1, 2, 3, 4]}])";
  write(good);
  EXPECT_EQ(message(), "no error");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    write(text.replace(text.find(from), from.size(), to));
    return message();
  };
  for (const auto& [from, to, named] :
       std::vector<std::array<std::string, 3>>{{"10", "11", "image_id of a judged picture, found 11"},
                                               {"3,", "4,", "category_id of a class of the truth, found 4"},
                                               {"0.5", "1.5", "score from 0 to 1, found 1.5"},
                                               {"0.5", "\"high\"", "image_id, category_id, score"},
                                               {", 4]", "]", "bbox of x, y, width, height"},
                                               {"3, 4]", "-3, 4]", "not negative"},
                                               {"[1, 2", "[null, 2", "four finite numbers"},
                                               {"\"bbox\"", "\"box\"", "bbox of x, y, width, height"},
                                               {"[{", "{", "expected a JSON array"},
                                               {"}]", "}", "is no JSON"},
                                               {good, "[1]", "expected an object"},
                                               {good, R"({"annotations": []})", "expected a JSON array"}}) {
    const std::string found = with(from, to);
    EXPECT_EQ(found.find(path_), 0u) << found;
    EXPECT_NE(found.find(named), std::string::npos) << named << ": " << found;
  }
  std::filesystem::remove(path_);
  EXPECT_NE(message().find("cannot be opened"), std::string::npos);
}

}  // namespace
}  // namespace gpueval
