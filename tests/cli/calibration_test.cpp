// SPDX-License-Identifier: Apache-2.0
// Which images int8 is calibrated on, and that none of them is judged: folders of tiny pictures, from end to end.
#include <algorithm>
#include <functional>
#include <set>

#include "program.h"
#include "tiny_jpeg.h"

namespace gpueval::test {
namespace {

class Calibration : public ProgramTest {
 protected:
  // The same pixels in a file of its own: a comment behind the start marker tells them apart.
  static std::string picture(int number) {
    const std::string comment = "picture " + std::to_string(1000 + number);
    std::string jpeg(kTinyJpeg.begin(), kTinyJpeg.end());
    jpeg.insert(2, std::string{'\xff', '\xfe', '\0', static_cast<char>(comment.size() + 2)} + comment);
    return jpeg;
  }
  // `each` pictures in each of ten folders named by digits, numbered as they are listed.
  void write_classes(const std::string& folder, int each, const std::string& prefix = "") const {
    for (int i = 0; i < 10 * each; ++i)
      write(folder + "/" + std::to_string(i / each) + "/" + prefix + std::to_string(100 + i) + ".jpg", picture(i));
  }
  Outcome calibrate(const std::string& data, std::vector<std::string> more = {}) {
    std::vector<std::string> args{"calibrate",           "--model", "demo",   "--scheme", "maxabs",
                                  "--calibration-table", "t.json",  "--data", data};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }
  nlohmann::json judge(const std::string& data, std::vector<std::string> more = {}) {
    std::vector<std::string> args{"--model", "demo", "--mode", "accuracy", "--data", data, "--json", "r.json"};
    args.insert(args.end(), more.begin(), more.end());
    outcome_ = run(args);
    EXPECT_EQ(outcome_.code, 0) << outcome_.err;
    return outcome_.code == 0 ? read_json("r.json") : nlohmann::json();
  }
  void change_table(const std::function<void(nlohmann::json&)>& change) const {
    nlohmann::json table = read_json("t.json");
    change(table);
    write("t.json", table.dump());
  }
  static void make_old(nlohmann::json& table) {
    for (const char* key : {"isa", "cpu", "seed", "calibration_images", "table_sha256"}) table.erase(key);
  }
  Outcome outcome_;
};

TEST_F(Calibration, ATableJudgesNoneOfItsImages) {
  write_classes("f", 4);
  ASSERT_EQ(calibrate("f", {"--calibration-images", "10"}).code, 0);
  std::set<int> used;
  const nlohmann::json table = read_json("t.json");
  for (const nlohmann::json& image : table["calibration_images"]) used.insert(image["index"].get<int>());
  EXPECT_EQ(used.size(), 10u);
  for (const char* data : {"f", "copy"}) {
    write_classes("copy", 4, "IMG_");  // other names, the same files
    const nlohmann::json json = judge(data, {"--calibration-table", "t.json"});
    for (const nlohmann::json& row : json["runs"]) EXPECT_EQ(row["accuracy"]["images"], 30) << data;
    EXPECT_EQ(json["calibration"]["left_out_images"], 10);
    EXPECT_TRUE(json["calibration"]["excluded_from_accuracy"].get<bool>());
    EXPECT_EQ(json["data"]["count"], 30);
    EXPECT_EQ(json["data"]["size"], 40);
    EXPECT_EQ(json["calibration"]["indices"].get<std::set<int>>(), used);
    EXPECT_NE(
        outcome_.out.find("10 images of the data are among those that the table was calibrated on and are not judged"),
        std::string::npos)
        << outcome_.out;
  }
  write_classes("others", 5);  // 50: those 40 are 0..39 here as well
  EXPECT_EQ(judge("others", {"--calibration-table", "t.json"})["data"]["count"], 40);
}

TEST_F(Calibration, JudgingOnlyItsOwnImagesIsAnError) {
  write_classes("f", 2);
  ASSERT_EQ(calibrate("f").code, 0) << "20 images: all of them";
  EXPECT_EQ(read_json("t.json")["images"], 20);
  expect_error({"--model", "demo", "--mode", "accuracy", "--data", "f", "--calibration-table", "t.json"}, 1,
               "each of its 20 images is one that int8 was calibrated on");
  expect_error(
      {"--model", "demo", "--mode", "accuracy", "--data", "f", "--scheme", "maxabs", "--calibration-images", "20"}, 1,
      "all 20 images are used for calibration");
}

TEST_F(Calibration, AnEarlierTableLoadsWithASentence) {
  write_classes("f", 2);
  ASSERT_EQ(calibrate("f", {"--calibration-images", "5"}).code, 0);
  change_table(make_old);
  const nlohmann::json json = judge("f", {"--calibration-table", "t.json"});
  EXPECT_EQ(json["data"]["count"], 20);
  EXPECT_NE(json["notes"].dump().find("does not tell which images it was calibrated on"), std::string::npos);
  EXPECT_NE(outcome_.out.find("is of an earlier version"), std::string::npos) << outcome_.out;
}

TEST_F(Calibration, ImagesAreSpreadOverTheClassesOfASortedFolder) {
  write_classes("f", 4);
  const nlohmann::json json = judge("f", {"--scheme", "maxabs"});
  const nlohmann::json& calibration = json["calibration"];
  EXPECT_EQ(calibration["images"], 10) << "a quarter of the judged set";
  EXPECT_EQ(calibration["classes"], 10);
  EXPECT_EQ(calibration["seed"], 1);
  std::set<int> classes, indices;
  for (const int index : calibration["indices"]) classes.insert(index / 4), indices.insert(index);
  EXPECT_EQ(classes.size(), 10u) << "one of each";
  EXPECT_EQ(json["data"]["count"], 30);
  EXPECT_EQ(calibration["left_out_images"], 10);
  EXPECT_NE(outcome_.out.find("10 images of the data, spread over 10 classes, not judged again"), std::string::npos)
      << outcome_.out;
  EXPECT_EQ(judge("f", {"--scheme", "maxabs"})["calibration"]["indices"], calibration["indices"]) << "seeded";

  const nlohmann::json few = judge("f", {"--scheme", "maxabs", "--limit", "5"});
  std::vector<int> others;
  for (int i = 0; others.size() < 5; ++i) {
    if (!indices.contains(i)) others.push_back(i);
  }
  EXPECT_EQ(few["data"]["count"], 5);
  EXPECT_EQ(few["data"]["first"], others.front());
  EXPECT_EQ(few["data"]["last"], others.back()) << "the first five of the others";
}

TEST_F(Calibration, CopiesOfCalibrationImagesAreNotJudgedEither) {
  write_classes("f", 4);
  for (int i = 0; i < 40; ++i) write("f/" + std::to_string(i / 4) + "/z" + std::to_string(i) + ".jpg", picture(i));
  const nlohmann::json json = judge("f", {"--scheme", "maxabs", "--calibration-images", "6"});
  EXPECT_EQ(json["calibration"]["left_out_images"], 6);
  EXPECT_EQ(json["calibration"]["left_out_same_content"], 6);
  EXPECT_EQ(json["data"]["count"], 68);
  EXPECT_NE(outcome_.out.find("6 more images have the content of a calibration image"), std::string::npos)
      << outcome_.out;
}

TEST_F(Calibration, ACalibrationFolderNeedsNoLabels) {
  for (int i = 0; i < 7; ++i) write("flat/" + std::to_string(i) + ".jpg", picture(i));
  EXPECT_EQ(calibrate("flat").code, 0);
  EXPECT_EQ(read_json("t.json")["images"], 7) << "all of a set of its own";
  write("three/a/1.jpg", picture(1));
  write("three/b/2.jpg", picture(2));
  write("three/c/3.jpg", picture(3));
  EXPECT_EQ(calibrate("three").code, 0) << "no folder for each of the network's ten classes";
  EXPECT_EQ(read_json("t.json")["images"], 3);
  EXPECT_EQ(run({"--model", "demo", "--mode", "accuracy", "--data", "flat"}).code, 2) << "judging does need labels";
}

TEST_F(Calibration, SkippedCalibrationImagesKeepTheirNumber) {
  write_classes("f", 2);
  write("f/2/105.jpg", picture(5).substr(0, 60));
  const nlohmann::json json = judge("f", {"--scheme", "maxabs", "--calibration-images", "10"});
  const nlohmann::json& skipped = json["calibration"]["skipped_images"];
  const nlohmann::json& judged_skipped = json["data"]["skipped_images"];
  ASSERT_EQ(skipped.size() + judged_skipped.size(), 1u);
  EXPECT_EQ((skipped.empty() ? judged_skipped : skipped)[0]["index"], 5);
}

TEST_F(Calibration, SaysWhereItWasCalibrated) {
  write_classes("f", 2);
  const nlohmann::json json = judge("f", {"--scheme", "maxabs"});
  const std::string isa = json["calibration"]["isa"];
  EXPECT_TRUE((std::set<std::string>{"portable", "avx2", "avx_vnni", "avx512_vnni", "amx"}.contains(isa))) << isa;
  EXPECT_EQ(json["calibration"]["cpu"], json["host"]["cpu"]);
  EXPECT_NE(outcome_.out.find("Calibrated with " + isa + " on "), std::string::npos) << outcome_.out;
  ASSERT_EQ(calibrate("f", {"--calibration-images", "5"}).code, 0);
  EXPECT_EQ(read_json("t.json")["isa"], isa);
  EXPECT_EQ(judge("f", {"--calibration-table", "t.json"})["calibration"]["isa"], isa);
}

TEST_F(Calibration, ChangedTablesAreRefused) {
  write_classes("f", 2);
  ASSERT_EQ(
      run({"calibrate", "--model", "demo", "--calibration-table", "t.json", "--data", "f", "--calibration-images", "5"})
          .code,
      0);
  const std::string whole = read("t.json");
  const std::vector<std::string> args{"--model", "demo", "--mode", "accuracy", "--data", "f", "--calibration-table",
                                      "t.json"};
  const auto refused = [&](const std::function<void(nlohmann::json&)>& change, const std::string& words) {
    write("t.json", whole);
    change_table(change);
    expect_error(args, 1, words);
  };
  refused([](nlohmann::json& t) { t.erase("corrections"), t.erase("weights_file"); }, "changed since it was written");
  refused([](nlohmann::json& t) { t["corections"] = t["corrections"], t.erase("corrections"); },
          "'corections' is not known");
  refused([](nlohmann::json& t) { t["images"] = 1e300; }, "'images': expected a whole number");
  // Of an earlier version, without a digest: what the network tells.
  refused([](nlohmann::json& t) { make_old(t), t.erase("corrections"), t.erase("weights_file"); },
          "lacks the bias of layer");
  refused([](nlohmann::json& t) { make_old(t), t["corrections"]["conv1"].erase("bias"); },
          "lacks the bias of layer 'conv1'");
  refused([](nlohmann::json& t) { make_old(t), t["range"]["conv99"] = 1; },
          "a layer 'conv99', which demo does not have");
  refused([](nlohmann::json& t) { make_old(t), t["range"]["conv1"] = 1e-45; }, "range of 'conv1'");
  write("t.json", std::string(200'000, '['));
  expect_error(args, 1, "at most 64 levels");
  expect_error({"compare", "t.json", "t.json"}, 1, "at most 64 levels");
}

TEST_F(Calibration, AutoAndSensitivitySplitEveryClass) {
  write_classes("f", 4);
  const nlohmann::json trials = judge("f", {"--scheme", "auto"});
  const std::vector<int> indices = trials["calibration"]["indices"];
  ASSERT_EQ(indices.size(), 10u);
  std::set<int> tried, held_out;
  for (std::size_t i = 0; i < indices.size(); ++i) (i < 8 ? tried : held_out).insert(indices[i] / 4);
  EXPECT_EQ(tried.size(), 8u);
  EXPECT_EQ(held_out.size(), 2u) << "a class each";
  ASSERT_EQ(run({"sensitivity", "--model", "demo", "--scheme", "maxabs", "--data", "f", "--target-loss", "1", "--mode",
                 "accuracy", "--choosing-images", "10", "--json", "s.json"})
                .code,
            0);
  const nlohmann::json sensitivity = read_json("s.json");
  std::set<int> classes, seen;
  for (const int index : sensitivity["data"]["indices"]) classes.insert(index / 4), seen.insert(index);
  EXPECT_EQ(classes.size(), 10u);
  for (const int index : sensitivity["mixed"]["judged"]["indices"]) seen.insert(index);
  for (const int index : sensitivity["calibration"]["indices"]) seen.insert(index);
  EXPECT_EQ(seen.size(), 40u) << "calibration, choosing and judged images are all of them, and none is two of these";
}

}  // namespace
}  // namespace gpueval::test
