// SPDX-License-Identifier: Apache-2.0
// Ground-truth lists as people have them: the labels of the right list, or a sentence that says what is wrong.
#include "io/data/label_list.h"

#include "io/data/imagenet_classes.h"
#include "support/data_files.h"

namespace gpueval::data {
namespace {

using test::error_of;
using test::write_text;

const LabelRules kImageNet{1000, true};
const LabelRules kTen{10, false};

class Lists : public testing::Test {
 protected:
  std::string list(const std::string& text) const {
    write_text(folder_ / "list.txt", text);
    return folder_ / "list.txt";
  }
  MatchedLabels match(const std::string& text, const LabelRules& rules = kImageNet) const {
    return match_labels(read_label_list(list(text), rules), "val", pictures_);
  }
  std::vector<int> labels(const std::string& text, const LabelRules& rules = kImageNet) const {
    return match(text, rules).labels;
  }
  // What the error says behind the list's path.
  std::string refusal(const std::string& text, const LabelRules& rules = kImageNet) const {
    const std::string message = error_of([&] { match(text, rules); });
    const std::string path = folder_ / "list.txt";
    EXPECT_EQ(message.find(path), 0u) << message;
    return message.substr(std::min(message.size(), path.size() + 2));
  }
  std::vector<std::string> pictures_{"a.JPEG", "b c.JPEG", "d.JPEG"};
  test::TemporaryFolder folder_;
};

TEST_F(Lists, EveryWayToWriteTheSameLabels) {
  const std::vector<int> expected{616, 26, 0};
  for (const char* text : {
           "a.JPEG 616\nb c.JPEG 26\nd.JPEG 0\n",
           "a.JPEG\t616\nb c.JPEG\t26\nd.JPEG\t0",
           "a.JPEG,616\nb c.JPEG,26\nd.JPEG,0\n",
           "a.JPEG;616\nb c.JPEG; 26\nd.JPEG ;0\n",
           "\"a.JPEG\",\"616\"\n\"b c.JPEG\",\"26\"\n\"d.JPEG\",\"0\"\n",
           "'a.JPEG' 616\n'b c.JPEG' 26\n'd.JPEG' 0\n",
           "\xef\xbb\xbf"
           "a.JPEG 616\r\nb c.JPEG 26\r\nd.JPEG 0\r\n",
           "a.JPEG 616\rb c.JPEG 26\rd.JPEG 0\r",
           "  a.JPEG   616  \n\n\t b c.JPEG 26\t\n\n\nd.JPEG 0\n \n",
           "# made by hand\na.JPEG 616\nb c.JPEG 26\n# the last\nd.JPEG 0\n",
           "d.JPEG 0\nb c.JPEG 26\na.JPEG 616\n",
           "val/a.JPEG 616\nval/b c.JPEG 26\nval/d.JPEG 0\n",
           "C:\\data\\val\\a.JPEG 616\nC:\\data\\val\\b c.JPEG 26\nC:\\data\\val\\d.JPEG 0\n",
           "a.jpg 616\nb c.png 26\nd 0\n",
           "a.JPEG n03627232\nb c.JPEG n01630670\nd.JPEG n01440764\n",
           "filename,label\na.JPEG,616\nb c.JPEG,26\nd.JPEG,0\n",
           "ImageId,PredictionString\na,n03627232 10 20 200 210 \nb c,n01630670 1 2 3 4 n01630670 5 6 7 8 \n"
           "d,n01440764 1 2 3 4\n",
           "a,n03627232 10 20 200 210\nb c,n01630670 1 2 3 4\nd,n01440764 1 2 3 4\n",
           "a.JPEG 616\nb c.JPEG 26\nd.JPEG 0\nelsewhere.JPEG 7\nmore.JPEG 8\n",
           "a.JPEG 616\na.JPEG 616\nb c.JPEG 26\nd.JPEG 0\n",
           "616\n26\n0\n",
           "label\n616\r\n26\r\n0\r\n\r\n",
           "616,\n26,\n0,\n",
           "n03627232\nn01630670\nn01440764\n",
       }) {
    EXPECT_EQ(labels(text), expected) << text;
  }
}

TEST_F(Lists, WhatWasDoneIsStated) {
  const std::string path = folder_ / "list.txt";
  EXPECT_EQ(match("a 1\nb c 2\nd 3\n").truth.mapping, "class ids of " + path + ", by file name");
  EXPECT_EQ(match("a n01440764\nb c n01440764\nd n01440764\n").truth.mapping,
            "WordNet ids of " + path + ", by file name");
  EXPECT_EQ(match("1\n2\n3\n").truth.mapping,
            "class ids of " + path + ", one a line in the order of the file names sorted as text");
  EXPECT_EQ(match("a 1\nb c 2\nd 3\nx 4\ny 4\n").truth.notes,
            (std::vector<std::string>{path + ": 2 of its 5 pictures are not in val."}));
}

TEST_F(Lists, IdsFromOneAreTold) {
  const std::string devkit = refusal("490\n1000\n1\n");
  EXPECT_EQ(devkit.find("its class ids run from 1 to 1000, so they count from 1"), 0u) << devkit;
  EXPECT_NE(devkit.find("ILSVRC2012_validation_ground_truth.txt) follow another order, too"), std::string::npos);
  const std::string named = refusal("a 1000\nb c 5\nd 7\n");
  EXPECT_EQ(named.find("its class ids run from 5 to 1000, so they count from 1"), 0u) << named;
  EXPECT_EQ(refusal("a 1\nb c 10\nd 7\n", kTen),
            "its class ids run from 1 to 10, so they count from 1; this network's classes are 0 to 9");
}

TEST_F(Lists, IdsOfAnotherNetworkAreRefused) {
  EXPECT_EQ(refusal("a 0\nb c 1000\nd 7\n"),
            "line 2: class id 1000, but the network has classes 0 to 999; are these the labels for it?");
  EXPECT_EQ(refusal("0\n\n# \n5\n11\n", kTen),
            "line 5: class id 11, but the network has classes 0 to 9; are these the labels for it?");
  EXPECT_EQ(labels("0\n5\n11\n", {}), (std::vector<int>{0, 5, 11}));
}

TEST_F(Lists, WrongLabelsAreRefused) {
  for (const char* label : {"-1", "2.5", "616.0", "+3", "1e3", "0x10", "two", "99999999999", "n123", "n012345678"}) {
    EXPECT_EQ(refusal(fmt::format("a.JPEG 1\nb c.JPEG {}\nd.JPEG 3\n", label)),
              fmt::format("line 2: expected a class id, found '{}'", label));
    EXPECT_EQ(refusal(fmt::format("1\n{}\n3\n", label)), fmt::format("line 2: expected a class id, found '{}'", label));
  }
  EXPECT_EQ(refusal("a.JPEG -1\nb c.JPEG 1\nd.JPEG 3\n"), "line 1: expected a class id, found '-1'");
  EXPECT_EQ(refusal("a.JPEG n99999999\nb c.JPEG 1\nd.JPEG 3\n"),
            "line 1: WordNet id n99999999 is not one of ImageNet's 1000 classes");
  EXPECT_NE(refusal("a n01440764\nb c n01440764\nd n01440764\n", kTen).find("line 1: WordNet id n01440764, but"),
            std::string::npos);
  EXPECT_EQ(refusal("a n01440764\nb c 3\nd 4\n"), "line 2: expected a WordNet id as in the lines before, found '3'");
  EXPECT_EQ(refusal("a 2\nb c n01440764\nd 4\n"),
            "line 2: expected a class id as in the lines before, found 'n01440764'");
  EXPECT_EQ(refusal("ImageId,PredictionString\na,n03627232 1 2 3 4 n01630670 1 2 3 4\n"),
            "line 2: expected a class id, found 'n03627232 and n01630670'");
}

// The last word is the label, so another column there would be taken for one, had the name not to fit a picture.
TEST_F(Lists, OtherColumnsNeverBecomeLabels) {
  for (const char* text : {"a.JPEG,616,1\nb c.JPEG,26,1\nd.JPEG,0,1\n", "0,a.JPEG,616\n1,b c.JPEG,26\n2,d.JPEG,0\n",
                           "a.JPEG 616 n03627232\nb c.JPEG 26 n01630670\nd.JPEG 0 n01440764\n"}) {
    EXPECT_NE(refusal(text).find("has no label of val/a.JPEG"), std::string::npos) << text;
  }
  EXPECT_NE(refusal("616 a.JPEG\n26 b c.JPEG\n0 d.JPEG\n").find("line 1: expected a class id, found 'a.JPEG'"),
            std::string::npos);
  EXPECT_NE(refusal("a.JPEG\nb c.JPEG\nd.JPEG\n").find("line 1: expected a class id"), std::string::npos);
}

TEST_F(Lists, MissingAndContradictingLabelsAreRefused) {
  EXPECT_EQ(refusal("a.JPEG 1\nd.JPEG 2\n"), "has no label of val/b c.JPEG (2 labels, 3 pictures)");
  EXPECT_EQ(refusal("a.JPEG 1\nb c.JPEG 2\nd.JPEG 3\nx.JPEG 4\nval/x.JPEG 5\n"),
            "lines 4 and 5: second label of an image: 'x.JPEG' has label 4, 'val/x.JPEG' has 5");
  EXPECT_EQ(refusal("a.png 1\na.gif 2\nb c 2\nd 3\n"),
            "lines 1 and 2: second label of an image: 'a.png' has label 1, 'a.gif' has 2");
  EXPECT_EQ(refusal("1\n2\n"), "has 2 labels, but val holds 3 images; a list of labels alone needs one for each");
  EXPECT_EQ(refusal("1\n2\n3\n4\n"), "has 4 labels, but val holds 3 images; a list of labels alone needs one for each");
  EXPECT_EQ(refusal("1\nb c.JPEG 2\n3\n"), "line 2: expected a class id, found 'b c.JPEG 2'");
  EXPECT_EQ(refusal("a.JPEG 1\n2\nd.JPEG 3\n"), "line 2: expected 'name class-id', found '2'");
}

TEST_F(Lists, OneLineIsNotTwoPictures) {
  pictures_ = {"a.JPEG", "a.jpg"};
  EXPECT_EQ(labels("a.JPEG 1\na.jpg 2\n"), (std::vector<int>{1, 2}));
  EXPECT_EQ(refusal("a 1\nb 2\n"), "line 1 fits a.JPEG and a.jpg; give both a line of their own");
}

TEST_F(Lists, TextOrderOfNumbersIsWarnedOf) {
  pictures_ = {"img1.jpg", "img10.jpg", "img2.jpg"};
  const MatchedLabels matched = match("1\n2\n3\n");
  EXPECT_EQ(matched.labels, (std::vector<int>{1, 2, 3}));
  ASSERT_EQ(matched.truth.warnings.size(), 1u);
  EXPECT_NE(matched.truth.warnings[0].find("img10.jpg before img2.jpg"), std::string::npos)
      << matched.truth.warnings[0];
  EXPECT_TRUE(match("img1 1\nimg2 2\nimg10 3\n").truth.warnings.empty());
  pictures_ = {"img01.jpg", "img02.jpg", "img10.jpg"};
  EXPECT_TRUE(match("1\n2\n3\n").truth.warnings.empty());
}

TEST_F(Lists, OtherEncodingsAndBinariesAreNamed) {
  using std::literals::string_literals::operator""s;
  EXPECT_EQ(refusal("\xff\xfe"s + "a\0 \0001\0\n\0"s), "expected UTF-8 text, found UTF-16; save it as UTF-8");
  EXPECT_EQ(refusal("\xfe\xff\0a\0 \0001\0\n"s), "expected UTF-8 text, found UTF-16; save it as UTF-8");
  EXPECT_NE(refusal("a\0 \0001\0\n\0"s).find("found zero bytes"), std::string::npos);
  EXPECT_NE(refusal("\xef\xbb\xbf").find("is empty"), std::string::npos);
  EXPECT_NE(refusal("label\n").find("holds no labels"), std::string::npos);
}

TEST(ImageNetClasses, AreSortedByTheirIds) {
  EXPECT_TRUE(std::is_sorted(imagenet_classes().begin(), imagenet_classes().end(),
                             [](const ImageNetClass& a, const ImageNetClass& b) { return a.synset < b.synset; }));
  EXPECT_EQ(class_of_synset("n01440764"), 0);
  EXPECT_EQ(class_of_synset("n15075141"), 999);
  EXPECT_EQ(class_of_synset("n00000000"), std::nullopt);
  EXPECT_EQ(class_of_synset("n99999999"), std::nullopt);
  EXPECT_EQ(class_of_synset(""), std::nullopt);
  EXPECT_EQ(class_of_name("Great_White shark"), 2);
  EXPECT_EQ(class_of_name("crane"), std::nullopt) << "a bird and a machine";
}

TEST(ImageNetClasses, RealFileIsEqual) {
  const std::string path = test::real_data("imagenet/synset_words.txt");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  std::ifstream file(path);
  for (const ImageNetClass& entry : imagenet_classes()) {
    std::string synset, names;
    file >> synset;
    std::getline(file >> std::ws, names);
    EXPECT_EQ(entry.synset, synset);
    EXPECT_EQ(entry.name, names.substr(0, names.find(',')));
  }
}

}  // namespace
}  // namespace gpueval::data
