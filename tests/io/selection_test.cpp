// SPDX-License-Identifier: Apache-2.0
#include "gpueval/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "../support/data_files.h"

namespace gpueval {
namespace {

using Indices = std::vector<std::size_t>;

// Image i has label labels[i] and the text contents[i] for its file.
class Labelled : public Dataset {
 public:
  explicit Labelled(std::vector<int> labels) : labels_(std::move(labels)), contents_(labels_.size()) {}
  std::size_t size() const override { return labels_.size(); }
  int label(std::size_t i) const override { return labels_.at(i); }
  bool labelled() const override { return has_labels; }
  Image decode(std::size_t i) const override { return {1, 1, {static_cast<std::uint8_t>(i), 0, 0}}; }
  std::string name(std::size_t i) const override { return fmt::format("image {}", i); }
  std::string path() const override { return "fake"; }
  std::string kind() const override { return "fake"; }
  bool images_are_cropped() const override { return true; }
  std::string state() const override { return "labelled"; }
  std::uint64_t content_bytes(std::size_t i) const override { return contents_.at(i).size(); }
  std::vector<std::uint8_t> content(std::size_t i) const override {
    ++reads;
    return {contents_.at(i).begin(), contents_.at(i).end()};
  }
  void set(std::size_t i, std::string content) { contents_.at(i) = std::move(content); }

  bool has_labels = true;
  mutable int reads = 0;

 private:
  std::vector<int> labels_;
  std::vector<std::string> contents_;
};

Labelled sorted_classes(int classes, int each) {
  std::vector<int> labels;
  for (int i = 0; i < classes * each; ++i) labels.push_back(i / each);
  return Labelled(labels);
}

std::map<int, int> counts(const Dataset& data, const Indices& indices) {
  std::map<int, int> result;
  for (const std::size_t i : indices) ++result[data.label(i)];
  return result;
}

TEST(Selection, IsADataSetOfItsOwn) {
  Labelled data({4, 5, 6, 7});
  data.set(3, "abc");
  const auto part = select(data, {3, 0});
  EXPECT_EQ(part->size(), 2u);
  EXPECT_EQ(part->label(0), 7);
  EXPECT_EQ(part->label(1), 4);
  EXPECT_EQ(part->name(0), "image 3");
  EXPECT_EQ(part->decode(0).rgb[0], 3);
  EXPECT_EQ(part->content_bytes(0), 3u);
  EXPECT_EQ(part->path(), "fake");
  EXPECT_TRUE(part->labelled());
  EXPECT_THROW(select(data, {4}), Error);
}

TEST(Spread, GivesEveryClassItsShareOfASortedSet) {
  const Labelled data = sorted_classes(10, 50);
  const Indices chosen = spread_indices(data, 128, 1);
  EXPECT_EQ(chosen.size(), 128u);
  EXPECT_EQ(std::set(chosen.begin(), chosen.end()).size(), 128u) << "an image was taken twice";
  for (const auto& [label, count] : counts(data, chosen))
    EXPECT_TRUE(count == 12 || count == 13) << label << ": " << count;
  EXPECT_EQ(counts(data, chosen).size(), 10u);
}

TEST(Spread, ItsFirstImagesAreSpreadToo) {
  const Labelled data = sorted_classes(10, 50);
  Indices chosen = spread_indices(data, 100, 1);
  const Indices last(chosen.begin() + 70, chosen.end());
  chosen.resize(20);
  EXPECT_EQ(counts(data, chosen),
            (std::map<int, int>{{0, 2}, {1, 2}, {2, 2}, {3, 2}, {4, 2}, {5, 2}, {6, 2}, {7, 2}, {8, 2}, {9, 2}}));
  EXPECT_EQ(counts(data, last).size(), 10u);
}

TEST(Spread, TakesMoreOfTheOthersWhereAClassIsSmall) {
  std::vector<int> labels(1, 0);
  labels.resize(3, 1);
  labels.resize(100, 2);
  const Labelled data(labels);
  EXPECT_EQ(counts(data, spread_indices(data, 10, 1)), (std::map<int, int>{{0, 1}, {1, 2}, {2, 7}}));
  EXPECT_EQ(counts(data, spread_indices(data, 100, 1)).at(2), 97) << "all of them";
}

TEST(Spread, MoreClassesThanImagesTakesOneOfAFewFromAllOver) {
  const Labelled data = sorted_classes(500, 1);
  const Indices chosen = spread_indices(data, 125, 1);
  EXPECT_EQ(counts(data, chosen).size(), 125u);
  for (int quarter = 0; quarter < 4; ++quarter) {
    const auto inside = [&](std::size_t i) { return static_cast<int>(i / 125) == quarter; };
    EXPECT_GT(std::count_if(chosen.begin(), chosen.end(), inside), 15) << quarter;
  }
}

TEST(Spread, WithoutLabelsGoesAlongTheList) {
  Labelled data = sorted_classes(100, 1);
  data.has_labels = false;
  Indices chosen = spread_indices(data, 10, 1);
  std::sort(chosen.begin(), chosen.end());
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(chosen[i] / 10, i);
  EXPECT_EQ(class_count(data), 0u);
}

TEST(Spread, IsTheSameForASeedOnEveryMachine) {
  const Labelled data = sorted_classes(4, 25);
  EXPECT_EQ(spread_indices(data, 6, 1), spread_indices(data, 6, 1));
  EXPECT_NE(spread_indices(data, 6, 1), spread_indices(data, 6, 2));
  EXPECT_EQ(spread_indices(data, 6, 1), (Indices{67, 23, 75, 37, 61, 9})) << "of another program of this rule";
  EXPECT_THROW(spread_indices(data, 101, 1), Error);
}

TEST(OtherImages, LeavesOutWhatWasTakenAndWhatHasItsContent) {
  Labelled data(std::vector<int>(8, 0));
  for (std::size_t i = 0; i < 8; ++i) data.set(i, fmt::format("picture {}", i));
  data.set(5, "picture 1");       // a copy under another name
  data.set(6, "another length");  // never read
  const Indices taken{1, 3};
  const std::vector<ImageDigest> known = image_digests(data, taken);
  EXPECT_EQ(known[0].bytes, 9u);
  data.reads = 0;
  const OtherImages others = other_images(data, taken, known, 100);
  EXPECT_EQ(others.indices, (Indices{0, 2, 4, 6, 7}));
  EXPECT_EQ(others.taken, 2u);
  EXPECT_EQ(others.same_content, 1u);
  EXPECT_EQ(data.reads, 5) << "all but the taken ones and that of another length";
  EXPECT_EQ(other_images(data, {}, known, 100).indices, (Indices{0, 2, 4, 6, 7})) << "content alone tells";
  EXPECT_EQ(other_images(data, taken, known, 2).indices, (Indices{0, 2}));
}

TEST(OtherImages, AreFoundInAnotherContainer) {
  const test::TemporaryFolder folder;
  const auto pickle = open_pickle(test::data_golden("ints_p4.pkl"));
  ASSERT_GT(pickle->size(), 1u);
  test::write_bytes(folder.path() / "a.jpg", pickle->content(1));
  test::write_bytes(folder.path() / "b.jpg", test::read_bytes(test::data_golden("grey.jpg")));
  const auto files = open_folder(folder.path().string(), "", LabelUse::kUnused);
  EXPECT_FALSE(files->labelled());
  const Indices all{0, 1};
  const OtherImages others = other_images(*pickle, {}, image_digests(*files, all), 100);
  EXPECT_EQ(others.same_content, 1u);
  EXPECT_EQ(std::count(others.indices.begin(), others.indices.end(), 1u), 0);
}

TEST(OtherImages, DrawnOnesAreToldApartByStreamAndNumber) {
  const auto test = open_demo("test", 5), calibration = open_demo("calibration", 5);
  const Indices all{0, 1, 2, 3, 4};
  EXPECT_EQ(other_images(*test, {}, image_digests(*calibration, all), 100).indices, all);
  EXPECT_EQ(other_images(*test, {}, image_digests(*test, Indices{2}), 100).indices, (Indices{0, 1, 3, 4}));
}

TEST(FlatFolder, NeedsLabelsOnlyWhereTheyAreJudged) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder.path() / "b.jpg", test::read_bytes(test::data_golden("grey.jpg")));
  EXPECT_THROW(open_folder(folder.path().string(), ""), Error);
  EXPECT_EQ(open_folder(folder.path().string(), "", LabelUse::kUnused)->label(0), -1);
}

}  // namespace
}  // namespace gpueval
