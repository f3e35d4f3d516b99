// SPDX-License-Identifier: Apache-2.0
// Class folders as people have them: which of them count, which class each is, and what is said of the rest.
#include <sys/stat.h>

#include <initializer_list>

#include "support/data_files.h"

namespace gpueval {
namespace {

using test::error_of;
using test::write_text;

const LabelRules kImageNet{1000, true};
const LabelRules kThree{3, false};

class ClassFolders : public testing::Test {
 protected:
  void add(std::initializer_list<const char*> names) const {
    for (const std::string name : names) {
      std::filesystem::create_directories(std::filesystem::path(folder_ / name).parent_path());
      if (!name.ends_with('/')) write_text(folder_ / name, "a picture");
    }
  }
  std::string path() const { return folder_.path().string(); }
  std::unique_ptr<Dataset> open(const LabelRules& rules, const std::string& list = "") const {
    return open_dataset(path(), list, LabelUse::kJudged, rules);
  }
  // "n01440764/x.jpg 0, ..."
  std::string found(const LabelRules& rules, const std::string& list = "") const {
    const auto data = open(rules, list);
    std::string text;
    for (std::size_t i = 0; i < data->size(); ++i)
      text += fmt::format("{}{} {}", i == 0 ? "" : ", ", data->name(i), data->label(i));
    return text;
  }
  std::string refusal(const LabelRules& rules, const std::string& list = "") const {
    return error_of([&] { open(rules, list); });
  }
  test::TemporaryFolder folder_;
};

TEST_F(ClassFolders, WordNetIdsInAnySubset) {
  add({"n15075141/x.jpg", "n01440764/x.jpg", "n03627232/y.jpg"});
  EXPECT_EQ(found(kImageNet), "n01440764/x.jpg 0, n03627232/y.jpg 616, n15075141/x.jpg 999");
  EXPECT_EQ(open(kImageNet)->ground_truth().mapping, "WordNet ids in the names of 3 class folders, of 1000 classes");
  EXPECT_EQ(found(kThree), "n01440764/x.jpg 0, n03627232/y.jpg 1, n15075141/x.jpg 2") << "a network of these three";
}

TEST_F(ClassFolders, WordNetIdsWithNames) {
  add({"n03627232-knot/x.jpg", "n01440764_tench/x.jpg"});
  EXPECT_EQ(found(kImageNet), "n01440764_tench/x.jpg 0, n03627232-knot/x.jpg 616");
}

TEST_F(ClassFolders, OneClassOfImageNetIsAClass) {
  add({"n03627232/x.jpg"});
  EXPECT_EQ(found(kImageNet), "n03627232/x.jpg 616");
}

TEST_F(ClassFolders, StrangersAmongWordNetIdsAreRefused) {
  add({"n01440764/x.jpg", "n03627232/y.jpg", "n99999999/x.jpg"});
  EXPECT_EQ(refusal(kImageNet), path() +
                                    ": the folder n01440764 is one of ImageNet's 1000 WordNet ids, but n99999999 is "
                                    "not: 1 of 3 folders are not; move them away or rename them");
  add({"n01440764-old/x.jpg"});
  std::filesystem::remove_all(folder_ / "n99999999");
  EXPECT_EQ(refusal(kImageNet), path() + ": the folders n01440764 and n01440764-old are both class 0");
}

TEST_F(ClassFolders, DigitsAreIdsOfImageNet) {
  add({"0/x.jpg", "1/x.jpg", "10/x.jpg", "2/x.jpg", "0999/x.jpg"});
  EXPECT_EQ(found(kImageNet), "0/x.jpg 0, 0999/x.jpg 999, 1/x.jpg 1, 10/x.jpg 10, 2/x.jpg 2");
  EXPECT_EQ(open(kImageNet)->ground_truth().mapping, "class ids in the names of 5 class folders, of 1000 classes");
  add({"01/x.jpg"});
  EXPECT_EQ(refusal(kImageNet), path() + ": the folders 01 and 1 are both class 1");
}

TEST_F(ClassFolders, DigitsFromOneAreTold) {
  add({"1/x.jpg", "2/x.jpg", "1000/x.jpg"});
  EXPECT_EQ(refusal(kImageNet).find(path() + ": its class ids run from 1 to 1000, so they count from 1"), 0u)
      << refusal(kImageNet);
  add({"0/x.jpg"});
  EXPECT_EQ(refusal(kImageNet).find(path() + ": folder 1000: class id 1000, but the network has classes 0 to 999"), 0u);
}

TEST_F(ClassFolders, OwnNetworksFollowKeras) {
  add({"10/x.jpg", "2/x.jpg", "1/x.jpg"});
  EXPECT_EQ(found(kThree), "1/x.jpg 0, 10/x.jpg 1, 2/x.jpg 2");
  EXPECT_EQ(open(kThree)->ground_truth().mapping,
            "class folders numbered in text order, as Keras does: 0 1, 1 10, 2 2");
}

TEST_F(ClassFolders, NamesOfImageNetsClasses) {
  add({"tench/x.jpg", "great_white_shark/x.jpg"});
  EXPECT_EQ(found(kImageNet), "great_white_shark/x.jpg 2, tench/x.jpg 0");
  EXPECT_EQ(open(kImageNet)->ground_truth().mapping, "ImageNet's class names of 2 class folders, of 1000 classes");
}

TEST_F(ClassFolders, CountsThatDoNotFitAreRefused) {
  add({"cat/x.jpg", "dog/x.jpg", "empty/"});
  EXPECT_EQ(refusal(kThree),
            path() +
                ": 2 folders with pictures (cat, dog), but the network has 3 classes (1 more folders have "
                "no pictures: empty): Keras numbers the folders of all its classes in text order, so "
                "these cannot be told; use a flat folder and --labels");
  EXPECT_NE(refusal(kImageNet).find("name the folders by WordNet id (n01440764) or class id (0 to 999)"),
            std::string::npos);
  add({"horse/x.jpg"});
  EXPECT_EQ(found(kThree), "cat/x.jpg 0, dog/x.jpg 1, horse/x.jpg 2");
  EXPECT_NE(refusal(kImageNet).find("3 folders with pictures (cat, dog, horse), but the network has 1000"),
            std::string::npos);
  EXPECT_EQ(found({}), "cat/x.jpg 0, dog/x.jpg 1, horse/x.jpg 2") << "nothing is known of the network";
}

TEST_F(ClassFolders, WhatToolsLeaveIsNoClass) {
  add({"cat/x.jpg", "dog/x.jpg", "horse/x.jpg", "__MACOSX/x.jpg", "__MACOSX/cat/._x.jpg", "@eaDir/cat/x.jpg",
       ".ipynb_checkpoints/x.jpg", "empty/", "cat/._x.jpg", "cat/Thumbs.db", ".DS_Store", "labels.csv",
       "cat/@eaDir/x.jpg"});
  EXPECT_EQ(found(kThree), "cat/x.jpg 0, dog/x.jpg 1, horse/x.jpg 2");
  const GroundTruth truth = open(kThree)->ground_truth();
  EXPECT_EQ(truth.warnings, std::vector<std::string>{});
  EXPECT_EQ(truth.notes,
            (std::vector<std::string>{
                "Passed over in " + path() +
                ": 1 folder without pictures (empty), 4 folders that a tool left (.ipynb_checkpoints, ...), "
                "2 hidden files, 2 files that are no pictures."}));
}

TEST_F(ClassFolders, PicturesThatAreLeftOutAreWarnedOf) {
  add({"cat/x.jpg", "cat/y.bmp", "dog/x.jpg", "horse/x.WebP", "horse/more/1.jpg", "horse/more/2.jpg"});
  EXPECT_EQ(found(kThree), "cat/x.jpg 0, dog/x.jpg 1") << "a folder of other pictures is a class, too";
  EXPECT_EQ(open(kThree)->ground_truth().warnings,
            (std::vector<std::string>{
                "2 pictures of " + path() + " are no JPEG or PNG by the name (cat/y.bmp, ...) and are left out.",
                "2 pictures of " + path() + " lie in folders below the class folders and are left out."}));
}

TEST_F(ClassFolders, AFolderAroundThePicturesIsNoClass) {
  add({"ILSVRC2012_val/val/b.JPEG", "ILSVRC2012_val/val/a.JPEG", "__MACOSX/val/._a.JPEG", "devkit/readme.txt"});
  write_text(folder_ / "list.txt", "a 5\nb 6\n");
  EXPECT_EQ(found(kImageNet, folder_ / "list.txt"), "ILSVRC2012_val/val/a.JPEG 5, ILSVRC2012_val/val/b.JPEG 6");
  EXPECT_EQ(
      refusal(kImageNet),
      path() +
          "/ILSVRC2012_val/val: holds 2 images side by side; name their list of labels ('name "
          "class-id' or one id a line) with --labels (as the only folder with pictures it is not taken for a class)");
}

TEST_F(ClassFolders, AFolderAroundClassFoldersIsNone) {
  add({"imagenet/val/n01440764/a.JPEG", "imagenet/val/n03627232/b.JPEG"});
  EXPECT_EQ(found(kImageNet), "imagenet/val/n01440764/a.JPEG 0, imagenet/val/n03627232/b.JPEG 616");
}

TEST_F(ClassFolders, SeveralSetsAreRefused) {
  add({"train/cat/1.jpg", "train/dog/1.jpg", "val/cat/1.jpg", "val/dog/1.jpg"});
  EXPECT_EQ(refusal({2, false}),
            path() + ": its pictures lie deeper, as in train; name one of its folders (train, ...) instead");
}

TEST_F(ClassFolders, PicturesBesideFoldersOfPicturesAreRefused) {
  add({"cat/1.jpg", "dog/1.jpg", "horse/1.jpg", "stray.jpg"});
  EXPECT_EQ(refusal(kThree).find(path() + ": holds pictures (stray.jpg, ...) beside folders with pictures (cat, ...)"),
            0u);
  write_text(folder_ / "list.txt", "stray 2\n");
  EXPECT_EQ(found(kThree, folder_ / "list.txt"), "stray.jpg 2");
  EXPECT_EQ(
      open(kThree, folder_ / "list.txt")->ground_truth().warnings,
      (std::vector<std::string>{"3 pictures of " + path() + " lie in folders below the others and are left out."}));
  std::filesystem::remove(folder_ / "stray.jpg");
  add({"plot.gif"});
  EXPECT_EQ(found(kThree), "cat/1.jpg 0, dog/1.jpg 1, horse/1.jpg 2");
  add({"plot.png"});
  EXPECT_NE(refusal(kThree).find("holds pictures (plot.png, ...) beside folders with pictures"), std::string::npos);
}

TEST_F(ClassFolders, OnlyOtherPicturesIsSaid) {
  add({"cat/x.gif", "dog/x.bmp", "horse/x.tif"});
  EXPECT_NE(refusal(kThree).find(
                "no JPEG or PNG images (.jpg, .jpeg or .png), neither in it nor in its sub-folders; 3 other pictures"),
            std::string::npos)
      << refusal(kThree);
}

// What would hang whoever opened it, or is not there.
TEST_F(ClassFolders, PicturesThatAreNoFilesAreRefused) {
  add({"cat/x.jpg", "dog/x.jpg", "horse/x.jpg"});
  const std::string odd = folder_ / "horse/y.jpg";
  ASSERT_EQ(mkfifo(odd.c_str(), 0600), 0);
  EXPECT_EQ(refusal(kThree), odd + ": expected a regular file, found a pipe");
  std::filesystem::remove(odd);
  std::filesystem::create_symlink("/dev/zero", odd);
  EXPECT_EQ(refusal(kThree), odd + ": expected a regular file, found a device");
  std::filesystem::remove(odd);
  std::filesystem::create_symlink("gone", odd);
  EXPECT_EQ(refusal(kThree), odd + ": cannot be opened: No such file or directory");
  std::filesystem::remove(odd);
  ASSERT_EQ(mkfifo((folder_ / "horse/notes.txt").c_str(), 0600), 0);
  std::filesystem::create_symlink("x.jpg", odd);
  std::filesystem::create_directory_symlink("..", folder_ / "horse/up");
  EXPECT_EQ(found(kThree), "cat/x.jpg 0, dog/x.jpg 1, horse/x.jpg 2, horse/y.jpg 2");
}

TEST_F(ClassFolders, APipeOfLabelsIsRefused) {
  add({"a.jpg"});
  ASSERT_EQ(mkfifo((folder_ / "list").c_str(), 0600), 0);
  EXPECT_EQ(refusal(kThree, folder_ / "list"), (folder_ / "list") + ": expected a regular file, found a pipe");
  EXPECT_EQ(error_of([&] { open_dataset(folder_ / "list", ""); }),
            (folder_ / "list") + ": expected a regular file, found a pipe");
  EXPECT_EQ(error_of([&] { read_image(folder_ / "list"); }),
            (folder_ / "list") + ": expected a regular file, found a pipe");
}

}  // namespace
}  // namespace gpueval
