// SPDX-License-Identifier: Apache-2.0
// Ground truth in the layouts that people have, for 60 real photographs: every one gives the accuracy of the right
// list, or says what is wrong with it.
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "io/data/imagenet_classes.h"
#include "io/data/pickle_index.h"
#include "program.h"

namespace gpueval::test {
namespace {

constexpr std::size_t kPictures = 60;

class RealGroundTruth : public ProgramTest {
 protected:
  RealGroundTruth() {
    const char* folder = std::getenv("GPUEVAL_DATA");
    data_ = std::filesystem::absolute(folder != nullptr ? folder : GPUEVAL_DEFAULT_DATA).string();
    if (!std::filesystem::exists(lists() + "/val.txt")) return;
    const data::FileSource source(data_ + "/imagenet/val224_sample.pkl");
    const data::PickleIndex index = data::index_pickle(source);
    for (std::size_t i = 0; i < kPictures; ++i) {
      const auto bytes = data::read_image_bytes(source, index.images[i]);
      pictures_.emplace_back(fmt::format("ILSVRC2012_val_{:08d}.JPEG", i + 1), std::string(bytes.begin(), bytes.end()));
      labels_.push_back(index.labels[i]);
    }
  }
  std::string lists() const { return data_ + "/faults/ground_truth"; }
  bool missing() const { return pictures_.empty(); }
  void write_flat(const std::string& folder) const {
    for (const auto& [name, bytes] : pictures_) write(folder + "/" + name, bytes);
  }
  template <typename NameOf>
  void write_classes(const std::string& folder, NameOf&& name_of) const {
    for (std::size_t i = 0; i < pictures_.size(); ++i)
      write(folder + "/" + name_of(labels_[i]) + "/" + pictures_[i].first, pictures_[i].second);
  }
  // Right answers of MobileNet 0.25 in float32; the result is in json_.
  int top1(const std::string& folder, const std::string& list = "") {
    std::vector<std::string> args{"--model", "mobilenet", "--alpha",     "0.25",    "--mode", "accuracy",
                                  "--data",  folder,      "--precision", "float32", "--json", "r.json"};
    if (!list.empty()) args.insert(args.end(), {"--labels", list});
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.code, 0) << list << ": " << outcome.err;
    if (outcome.code != 0) return -1;
    json_ = read_json("r.json");
    EXPECT_EQ(json_["runs"][0]["accuracy"]["images"], kPictures);
    return json_["runs"][0]["accuracy"]["top1_count"];
  }
  std::vector<std::pair<std::string, std::string>> pictures_;
  std::vector<int> labels_;
  nlohmann::json json_;
};

TEST_F(RealGroundTruth, ListsOfEveryForm) {
  if (missing()) GTEST_SKIP() << lists() << "/val.txt is missing";
  write_flat("val");
  const int right = top1("val", lists() + "/val.txt");
  EXPECT_GE(right, 15);
  EXPECT_EQ(json_["warnings"], nlohmann::json::array());
  const nlohmann::json hash = json_["data"]["target_sha256"];
  for (const char* name : {"val_map.txt", "synsets.txt", "only_synsets.txt", "LOC_val_solution.csv", "comma.csv",
                           "val_crlf_bom.txt", "val_full.txt"}) {
    EXPECT_EQ(top1("val", lists() + "/" + name), right) << name;
    EXPECT_EQ(json_["data"]["target_sha256"], hash) << name;
    EXPECT_EQ(json_["warnings"], nlohmann::json::array()) << name;
  }
  write_flat("ILSVRC2012_val/val");
  EXPECT_EQ(top1("ILSVRC2012_val", lists() + "/val.txt"), right);
}

TEST_F(RealGroundTruth, IdsThatCountFromOneAreWarnedOf) {
  if (missing()) GTEST_SKIP() << lists() << "/val.txt is missing";
  write_flat("val");
  const int right = top1("val", lists() + "/val.txt");
  EXPECT_LT(top1("val", lists() + "/val_matlab_one_based.txt"), right / 4);
  ASSERT_EQ(json_["warnings"].size(), 1u) << json_["warnings"];
  const std::string warning = json_["warnings"][0];
  EXPECT_NE(warning.find("the labels seem to count from 1"), std::string::npos) << warning;
  EXPECT_NE(read("stdout").find("\n\nWARNING: float32 has top-1 "), std::string::npos) << read("stdout");
}

TEST_F(RealGroundTruth, AnotherOrderOfIdsIsWarnedOf) {
  if (missing()) GTEST_SKIP() << lists() << "/val.txt is missing";
  write_flat("val");
  std::string text;
  for (const int label : labels_) text += fmt::format("{}\n", (label * 7 + 13) % 1000);
  write("other.txt", text);
  EXPECT_LT(top1("val", path("other.txt")), 5);
  ASSERT_EQ(json_["warnings"].size(), 1u) << json_["warnings"];
  EXPECT_NE(json_["warnings"][0].get<std::string>().find("hardly better than guessing"), std::string::npos);
}

TEST_F(RealGroundTruth, ClassFoldersOfEveryForm) {
  if (missing()) GTEST_SKIP() << lists() << "/val.txt is missing";
  write_flat("val");
  const int right = top1("val", lists() + "/val.txt");
  write_classes("synsets",
                [](int id) { return std::string(data::imagenet_classes()[static_cast<std::size_t>(id)].synset); });
  write("synsets/__MACOSX/x.jpg", "x");
  write("synsets/n00000001/.keep", "");
  EXPECT_EQ(top1("synsets"), right);
  EXPECT_EQ(json_["notes"].size(), 1u) << json_["notes"];
  write_classes("digits", [](int id) { return fmt::format("{}", id); });
  EXPECT_EQ(top1("digits"), right);
  write_classes("around/val", [](int id) { return fmt::format("{:04d}", id); });
  EXPECT_EQ(top1("around"), right);
  write_classes("words", [](int id) { return fmt::format("class {}", id); });
  expect_error({"--model", "mobilenet", "--alpha", "0.25", "--data", "words", "--mode", "accuracy"}, 1,
               "but the network has 1000 classes");
}

}  // namespace
}  // namespace gpueval::test
