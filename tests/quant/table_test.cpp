// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

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

// With a side file: "t.weights" next to "t.json".
class TableWithWeights : public Table {
 protected:
  void SetUp() override {
    Table::SetUp();
    table_ = example();
    table_.scheme = "best";
    table_.channel_scale["conv1"] = {0.1f, 0.3f, 1.17549435e-38f};
    table_.corrections["a"] = {.bias = {-0.1f, 3e-45f}, .weights = {}, .weight_scale = {}};
    table_.corrections["b"] = {.bias = {}, .weights = {1, -2, 127, -127}, .weight_scale = {0.1f, 0.7f}};
    table_.corrections["c"] = {.bias = {1.0f}, .weights = {5}, .weight_scale = {1e-20f}};
    save_table(table_, path("t.json"));
  }
  std::string error() const {
    try {
      load_table(path("t.json"));
      return "none";
    } catch (const Error& error) {
      return error.what();
    }
  }
  CalibrationTable table_;
};

TEST_F(TableWithWeights, RoundTripsEveryBit) {
  const CalibrationTable table = load_table(path("t.json"));
  EXPECT_EQ(table.channel_scale, table_.channel_scale);
  EXPECT_EQ(table.corrections, table_.corrections);
  EXPECT_EQ(std::filesystem::file_size(path("t.weights")), 5u);
  save_table(table, path("again"));
  EXPECT_EQ(load_table(path("again")).corrections, table_.corrections);
  EXPECT_TRUE(std::filesystem::exists(path("again.weights")));
}

TEST_F(TableWithWeights, MovesWithItsSideFile) {
  std::filesystem::create_directory(path("other"));
  std::filesystem::rename(path("t.json"), path("other/renamed.json"));
  std::filesystem::rename(path("t.weights"), path("other/t.weights"));
  EXPECT_EQ(load_table(path("other/renamed.json")).corrections, table_.corrections);
}

TEST_F(TableWithWeights, MissingTruncatedAndForeignSideFilesAreNamed) {
  std::filesystem::resize_file(path("t.weights"), 4);
  EXPECT_NE(error().find("t.weights: 4 bytes"), std::string::npos) << error();
  std::ofstream(path("t.weights"), std::ios::binary) << "12345";
  EXPECT_NE(error().find("SHA-256"), std::string::npos) << error();
  std::filesystem::remove(path("t.weights"));
  EXPECT_NE(error().find("t.weights: cannot be read"), std::string::npos) << error();
}

TEST_F(TableWithWeights, HostileTablesAreRefused) {
  std::stringstream whole;
  whole << std::ifstream(path("t.json")).rdbuf();
  const auto refused = [&](const std::string& from, const std::string& to, const std::string& word) {
    std::string text = whole.str();
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    std::ofstream(path("t.json")) << text;
    EXPECT_NE(error().find(word), std::string::npos) << to << ": " << error();
  };
  refused("\"weights\": 4", "\"weights\": 1152921504606846976", "more weights");
  refused("\"weights\": 4", "\"weights\": 3", "less");
  refused("\"name\": \"t.weights\"", "\"name\": \"../t.weights\"", "plain file name");
  refused("\"weights_file\"", "\"wait\"", "weights_file");
  refused("\"weights\": 1\n", "\"weights\": \"x\"\n", "not a calibration table");
  refused("0.30000001192092896", "-1.0", "scale of a channel");
}

TEST(SchemeName, EveryNameReadsBackAndUnknownIsAUsageError) {
  for (const char* name : {"reference", "maxabs", "percentile", "entropy", "mse", "best"}) {
    EXPECT_EQ(to_string(parse_scheme(name)), name);
  }
  try {
    parse_scheme("minmax");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
  }
}

}  // namespace
}  // namespace gpueval
