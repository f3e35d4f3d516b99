// SPDX-License-Identifier: Apache-2.0
#include "support/data_files.h"

namespace gpueval {
namespace {

using test::error_of;
using test::write_text;

class Folder : public testing::Test {
 protected:
  void add_image(const std::string& name) { std::filesystem::copy_file(test::data_golden("grey.jpg"), folder_ / name); }
  std::string path() const { return folder_.path().string(); }
  std::string list(const std::string& text) const {
    write_text(folder_ / "labels.txt", text);
    return folder_ / "labels.txt";
  }
  test::TemporaryFolder folder_;
};

std::vector<int> labels_of(const Dataset& data) {
  std::vector<int> labels;
  for (std::size_t i = 0; i < data.size(); ++i) labels.push_back(data.label(i));
  return labels;
}

TEST_F(Folder, FlatWithOneIdALine) {
  for (const char* name : {"b.JPEG", "a.jpg", "c.Jpeg"}) add_image(name);
  write_text(folder_ / "notes.md", "no image");
  const auto data = open_dataset(path(), list("5\r\n6\n7 \n\n"));
  EXPECT_EQ(labels_of(*data), (std::vector<int>{5, 6, 7}));
  EXPECT_EQ(data->name(1), "b.JPEG");
  EXPECT_EQ(data->kind(), "folder");
  EXPECT_EQ(data->path(), path());
  EXPECT_FALSE(data->images_are_cropped());
  EXPECT_EQ(data->decode(2).width, 50);
}

TEST_F(Folder, FlatWithNames) {
  for (const char* name : {"b.jpg", "a.jpg", "with blank.jpg"}) add_image(name);
  const auto data = open_dataset(path(), list("with blank.jpg 3\nb.jpg\t2\na 1\n"));
  EXPECT_EQ(labels_of(*data), (std::vector<int>{1, 2, 3}));
}

TEST_F(Folder, FoldersAreClassesInSortedOrder) {
  for (const char* name : {"n02", "n01", "n10"}) std::filesystem::create_directory(folder_ / name);
  for (const char* name : {"n10/x.jpg", "n01/z.jpg", "n01/y.jpg"}) add_image(name);
  const auto data = open_dataset(path(), "");
  EXPECT_EQ(labels_of(*data), (std::vector<int>{0, 0, 1})) << "n02 has no pictures";
  EXPECT_EQ(data->name(0), "n01/y.jpg");
  EXPECT_EQ(
      error_of([&] { open_dataset(path(), list("1\n2\n3\n")); }).find(path() + ": its sub-folders are the classes"),
      0u);
}

TEST_F(Folder, WrongNumberOfLabelsNamesBothCounts) {
  for (const char* name : {"a.jpg", "b.jpg"}) add_image(name);
  EXPECT_NE(error_of([&] {
              open_dataset(path(), list("1\n2\n3\n"));
            }).find("has 3 labels, but " + path() + " holds 2 images"),
            std::string::npos);
  EXPECT_NE(
      error_of([&] { open_dataset(path(), list("a.jpg 1\n")); }).find("has no label of " + path() + "/b.jpg (1 labels"),
      std::string::npos);
}

TEST_F(Folder, BadLabelListsAreErrors) {
  for (const char* name : {"a.jpg", "b.jpg"}) add_image(name);
  EXPECT_NE(error_of([&] { open_dataset(path(), list("1\ntwo\n")); }).find("line 2: expected a class id, found 'two'"),
            std::string::npos);
  EXPECT_NE(error_of([&] { open_dataset(path(), list("1\n-2\n")); }).find("line 2"), std::string::npos);
  EXPECT_NE(
      error_of([&] { open_dataset(path(), list("a.jpg 1\nc.jpg 2\n")); }).find("has no label of " + path() + "/b.jpg"),
      std::string::npos);
  EXPECT_NE(error_of([&] { open_dataset(path(), list("a.jpg 1\na.jpg 2\n")); }).find("second label"),
            std::string::npos);
  EXPECT_NE(error_of([&] { open_dataset(path(), list("a.jpg 1\n2\n")); }).find("line 2"), std::string::npos);
  EXPECT_NE(error_of([&] { open_dataset(path(), list("")); }).find("is empty"), std::string::npos);
  EXPECT_NE(error_of([&] { open_dataset(path(), folder_ / "missing.txt"); }).find("missing.txt: cannot be opened"),
            std::string::npos);
  EXPECT_NE(error_of([&] { open_dataset(path(), ""); }).find("--labels"), std::string::npos);
}

TEST_F(Folder, EmptyAndMissingFoldersAreErrors) {
  EXPECT_EQ(error_of([&] { open_dataset(path(), ""); }),
            path() + ": no JPEG or PNG images (.jpg, .jpeg or .png), neither in it nor in its sub-folders");
  std::filesystem::create_directory(folder_ / "n01");
  EXPECT_NE(error_of([&] { open_dataset(path(), ""); }).find("no JPEG or PNG images"), std::string::npos);
  EXPECT_NE(error_of([&] { open_dataset(folder_ / "gone", ""); }).find("no such data set"), std::string::npos);
}

TEST_F(Folder, CorruptImageNamesItsFile) {
  std::filesystem::create_directory(folder_ / "n01");
  write_text(folder_ / "n01/bad.jpg", "no JPEG");
  EXPECT_EQ(error_of([&] { open_dataset(path(), "")->decode(0); }),
            path() + "/n01/bad.jpg: expected a JPEG or PNG image, found something else");
}

TEST_F(Folder, TargetHashRefusesCountsBeyondTheEnd) {
  const auto demo = open_demo("test", 3);
  EXPECT_EQ(target_sha256(*demo, 0, 3).size(), 64u);
  EXPECT_NE(target_sha256(*demo, 0, 3), target_sha256(*demo, 0, 2));
  EXPECT_THROW(target_sha256(*demo, 2, 2), Error);
  EXPECT_THROW(target_sha256(*demo, 4, 0), Error);
}

TEST_F(Folder, ClassNamesLoseTheirSynset) {
  const auto names = read_class_names(list("n01440764 tench, Tinca tinca\nplain name\nn0144076 short\n"));
  EXPECT_EQ(names, (std::vector<std::string>{"tench, Tinca tinca", "plain name", "n0144076 short"}));
}

TEST_F(Folder, RealClassNames) {
  const std::string real = test::real_data("imagenet/synset_words.txt");
  if (!std::filesystem::exists(real)) GTEST_SKIP() << "needs " << real;
  const auto names = read_class_names(real);
  EXPECT_EQ(names.size(), 1000u);
  EXPECT_EQ(names[0], "tench, Tinca tinca");
}

}  // namespace
}  // namespace gpueval
