// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gpueval/error.h"
#include "gpueval/quant.h"

namespace gpueval {
namespace {

class Table : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "gpueval_table_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  static CalibrationTable example() {
    CalibrationTable table;
    table.tool_version = "0.1.0";
    table.model = "mobilenet_0.25";
    table.weights_sha256 = "abc";
    table.preprocessing = "crop224_tf";
    table.scheme = "maxabs";
    table.activations = "u8";
    table.images = 128;
    table.range = {{"conv1", 6.0f}, {"input", 0.1f}, {"tiny", 1.17549435e-38f}};
    return table;
  }

  std::string folder_;
};

TEST_F(Table, RoundTripsEveryBit) {
  save_table(example(), path("t.json"));
  const CalibrationTable table = load_table(path("t.json"));
  EXPECT_EQ(table.range, example().range);
  EXPECT_EQ(table.images, 128);
  EXPECT_NO_THROW(check_table(table, example(), "t.json"));
}

TEST_F(Table, IsRefusedForAnotherModelWeightsPreprocessingOrScheme) {
  const auto refused = [](void (*change)(CalibrationTable&), const char* word) {
    CalibrationTable other = example();
    change(other);
    try {
      check_table(example(), other, "t.json");
      ADD_FAILURE() << word << " was accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("t.json"), std::string::npos) << error.what();
    }
  };
  refused([](CalibrationTable& t) { t.model = "vgg16"; }, "vgg16");
  refused([](CalibrationTable& t) { t.weights_sha256 = "def"; }, "def");
  refused([](CalibrationTable& t) { t.preprocessing = "other"; }, "other");
  refused([](CalibrationTable& t) { t.scheme = "entropy"; }, "entropy");
  refused([](CalibrationTable& t) { t.activations = "s8"; }, "s8");
  CalibrationTable same = example();  // recorded, not compared
  same.image_list_sha256 = "x";
  same.tool_version = "9";
  EXPECT_NO_THROW(check_table(example(), same, "t.json"));
}

TEST_F(Table, BadFilesAreNamed) {
  std::ofstream(path("text")) << "hello";
  std::ofstream(path("fields")) << R"({"schema": 1})";
  std::ofstream(path("types")) << R"([1, 2])";
  for (const char* name : {"absent", "text", "fields", "types"}) {
    try {
      load_table(path(name));
      ADD_FAILURE() << name << " was accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(path(name)), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(save_table(example(), path("no/such/folder.json")), Error);
  CalibrationTable negative = example();
  negative.range["conv1"] = -1.0f;
  save_table(negative, path("negative"));
  EXPECT_THROW(load_table(path("negative")), Error);
}

TEST(SchemeName, UnknownIsAUsageError) {
  EXPECT_EQ(parse_scheme("maxabs"), Scheme::kMaxAbs);
  try {
    parse_scheme("entropy");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
  }
}

}  // namespace
}  // namespace gpueval
