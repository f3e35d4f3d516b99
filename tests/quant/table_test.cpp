// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "quant/table_form.h"

namespace gpueval {
namespace {

using testing::HasSubstr;
using testing::Not;

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
    table.images = 2;
    table.isa = "avx512_vnni";
    table.cpu = "Some CPU";
    table.seed = 1;
    table.calibration_images = {{7, 12345, std::string(64, 'a')}, {3, 99, std::string(64, 'b')}};
    table.range = {{"conv1", 6.0f}, {"input", 0.1f}, {"tiny", 1.17549435e-38f}};
    table.zero_point = {{"conv1", 55}, {"tiny", 254}};
    return table;
  }

  std::string folder_;
};

TEST_F(Table, RoundTripsEveryBit) {
  save_table(example(), path("t.json"));
  const CalibrationTable table = load_table(path("t.json"));
  EXPECT_EQ(table.range, example().range);
  EXPECT_EQ(table.zero_point, example().zero_point);
  EXPECT_EQ(table.images, 2);
  EXPECT_EQ(table.calibration_images, example().calibration_images);
  EXPECT_EQ(table.seed, 1u);
  EXPECT_EQ(table.isa, "avx512_vnni");
  EXPECT_EQ(table.cpu, "Some CPU");
  EXPECT_TRUE(table.notes.empty());
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
}

TEST_F(Table, NothingThatIsNotANumberOfACalibrationIsSaved) {
  const auto refused = [&](void (*change)(CalibrationTable&), const char* layer) {
    CalibrationTable table = example();
    change(table);
    try {
      save_table(table, path("bad.json"));
      ADD_FAILURE() << layer << " was saved";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(layer), std::string::npos) << error.what();
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder_)) << layer;
  };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  refused([](CalibrationTable& t) { t.range["conv1"] = -1; }, "range of 'conv1'");
  refused([](CalibrationTable& t) { t.range["conv1"] = kNan; }, "range of 'conv1'");
  refused([](CalibrationTable& t) { t.range["conv1"] = kInfinity; }, "range of 'conv1'");
  refused([](CalibrationTable& t) { t.range["conv1"] = 1e-45f; }, "range of 'conv1'");
  refused([](CalibrationTable& t) { t.channel_scale["conv1"] = {1, kNan}; }, "channel of 'conv1'");
  refused([](CalibrationTable& t) { t.zero_point["conv1"] = 0; }, "zero point of 'conv1'");
  refused([](CalibrationTable& t) { t.zero_point["conv1"] = 255; }, "zero point of 'conv1'");
  refused([](CalibrationTable& t) { t.corrections["a"].bias = {1, kInfinity}; }, "bias of 'a'");
  refused([](CalibrationTable& t) { t.corrections["a"] = {{}, {1}, {kNan}}; }, "weights of 'a'");
}

// A table as JSON, changed: `kDigest` gives it the digest of what it now says, as an earlier version has none.
class ChangedTable : public Table {
 protected:
  enum Form { kAsItIs, kDigest, kEarlier };
  using Json = nlohmann::json;

  void SetUp() override {
    Table::SetUp();
    CalibrationTable table = example();
    table.scheme = "best";
    table.channel_scale["conv1"] = {0.5f, 0.25f};
    table.corrections["a"] = {.bias = {-0.5f, 0.25f}, .weights = {}, .weight_scale = {}};
    table.corrections["b"] = {.bias = {}, .weights = {1, -2, 3}, .weight_scale = {0.5f, 0.75f}};
    save_table(table, path("t.json"));
    std::ifstream file(path("t.json"));
    json_ = Json::parse(file);
  }
  std::string error(Json json, Form form) const {
    if (form == kDigest) json["table_sha256"] = table_sha256(json);
    if (form == kEarlier) {
      for (const char* key : {"isa", "cpu", "seed", "calibration_images", "table_sha256"}) json.erase(key);
    }
    return error(json.dump());
  }
  std::string error(const std::string& text) const {
    std::ofstream(path("t.json")) << text;
    try {
      return load_table(path("t.json")).notes.empty() ? "none" : "note";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(path("t.json")), std::string::npos) << error.what();
      return error.what();
    }
  }
  Json json_;
};

TEST_F(ChangedTable, OfAnEarlierVersionLoadsWithASentence) {
  EXPECT_EQ(error(json_, kAsItIs), "none");
  EXPECT_EQ(error(json_.dump(7)), "none") << "how it is laid out does not matter";
  EXPECT_EQ(error(json_, kEarlier), "note");
}

TEST_F(ChangedTable, AnyChangeIsSeen) {
  const auto changed = [&](auto&& change) {
    Json json = json_;
    change(json);
    EXPECT_THAT(error(json, kAsItIs), HasSubstr("changed since it was written")) << json.dump();
    EXPECT_THAT(error(json, kDigest), Not(HasSubstr("changed since it was written"))) << json.dump();
  };
  changed([](Json& j) { j["corrections"]["a"].erase("bias"); });
  changed([](Json& j) { j["corrections"]["a"]["bias"][0] = -0.75; });
  changed([](Json& j) { j["corrections"].erase("a"); });
  changed([](Json& j) { j["range"]["conv1"] = 5.0; });
  changed([](Json& j) { j["range"].erase("conv1"); });
  changed([](Json& j) { j["range"]["conv2"] = 5.0; });
  changed([](Json& j) { j["calibration_images"][0]["sha256"] = std::string(64, 'c'); });
  changed([](Json& j) { j.erase("channel_scale"); });
  changed([](Json& j) { j["zero_point"]["conv1"] = 56; });
  Json without = json_;
  without.erase("corrections");
  without.erase("weights_file");
  EXPECT_THAT(error(without, kAsItIs), HasSubstr("changed since it was written"));
  Json stripped = json_;
  stripped.erase("table_sha256");
  EXPECT_THAT(error(stripped, kAsItIs), HasSubstr("'table_sha256' is missing"));
  for (const char* key : {"isa", "cpu", "seed", "calibration_images"}) {
    Json part = json_;
    part.erase(key);
    EXPECT_THAT(error(part, kDigest), HasSubstr(key));
  }
}

TEST_F(ChangedTable, EveryFieldHasItsTypeAndName) {
  const auto refused = [&](auto&& change, const char* words) {
    for (const Form form : {kDigest, kEarlier}) {
      Json json = json_;
      change(json);
      EXPECT_THAT(error(json, form), HasSubstr(words)) << json.dump();
    }
  };
  refused([](Json& j) { j["corections"] = j["corrections"], j.erase("corrections"); }, "'corections' is not known");
  refused([](Json& j) { j["corrections"]["a"]["bais"] = Json::array(); }, "'corrections.a.bais' is not known");
  refused([](Json& j) { j["weights_file"]["path"] = "x"; }, "'weights_file.path' is not known");
  refused([](Json& j) { j.erase("scheme"); }, "'scheme' is missing");
  refused([](Json& j) { j["scheme"] = 5; }, "'scheme': expected a text, found 5");
  refused([](Json& j) { j["scheme"] = nullptr; }, "'scheme': expected a text, found null");
  refused([](Json& j) { j["activations"] = "u9"; }, "'activations': expected u8 or s8");
  refused([](Json& j) { j["zero_point"]["conv1"] = 255; }, "'zero_point.conv1'");
  refused([](Json& j) { j["zero_point"]["conv1"] = 1.5; }, "'zero_point.conv1'");
  refused([](Json& j) { j["images"] = 1e300; }, "'images': expected a whole number from 1");
  refused([](Json& j) { j["images"] = -3; }, "'images': expected a whole number from 1");
  refused([](Json& j) { j["images"] = 0; }, "'images': expected a whole number from 1");
  refused([](Json& j) { j["images"] = 1.5; }, "'images': expected a whole number from 1");
  refused([](Json& j) { j["images"] = "2"; }, "'images': expected a whole number from 1");
  refused([](Json& j) { j["images"] = true; }, "'images': expected a whole number from 1");
  refused([](Json& j) { j["images"] = 18446744073709551615u; }, "'images': expected a whole number from 1");
  refused([](Json& j) { j["range"] = Json::array(); }, "'range': expected an object, found a list");
  refused([](Json& j) { j["range"]["conv1"] = "6"; }, "'range.conv1': expected a number, found \"6\"");
  refused([](Json& j) { j["range"]["conv1"] = nullptr; }, "'range.conv1': expected a number, found null");
  refused([](Json& j) { j["range"]["conv1"] = 1e300; }, "'range.conv1': expected a finite float32 number");
  refused([](Json& j) { j["range"]["conv1"] = 1e-45; }, "range of 'conv1' is");
  refused([](Json& j) { j["range"]["conv1"] = -6; }, "range of 'conv1' is -6");
  refused([](Json& j) { j["channel_scale"]["conv1"][1] = 0; }, "channel of 'conv1' is 0");
  refused([](Json& j) { j["channel_scale"]["conv1"][1] = "x"; }, "'channel_scale.conv1', number 2: expected a number");
  refused([](Json& j) { j["channel_scale"]["conv1"] = 0.5; }, "'channel_scale.conv1': expected a list of numbers");
  refused([](Json& j) { j["corrections"]["a"] = 1; }, "'corrections.a': expected an object, found 1");
  refused([](Json& j) { j["corrections"]["a"]["bias"][0] = Json::array(); }, "'corrections.a.bias', number 1");
  refused([](Json& j) { j["corrections"]["b"]["weights"] = 2.5; }, "'corrections.b.weights': expected a whole number");
  refused([](Json& j) { j["corrections"]["b"].erase("weights"); }, "'corrections.b.weights' is missing");
  refused([](Json& j) { j["corrections"]["b"].erase("weight_scale"); }, "'corrections.b.weight_scale' is missing");
  refused([](Json& j) { j["corrections"].erase("b"); }, "'weights_file': expected none");
  refused([](Json& j) { j["schema"] = 2; }, "schema 2");
  refused([](Json& j) { j["schema"] = "1"; }, "'schema': expected a whole number");
}

TEST_F(ChangedTable, ItsImagesAreChecked) {
  const auto refused = [&](auto&& change, const char* words) {
    Json json = json_;
    change(json);
    EXPECT_THAT(error(json, kDigest), HasSubstr(words)) << json.dump();
  };
  refused([](Json& j) { j["calibration_images"][1]["sha256"] = "abc"; }, "64 hexadecimal digits");
  refused([](Json& j) { j["calibration_images"][1]["bytes"] = 0; }, "calibration_images[1].bytes': expected");
  refused([](Json& j) { j["calibration_images"][1]["index"] = -1; }, "calibration_images[1].index': expected");
  refused([](Json& j) { j["calibration_images"][1]["name"] = "x"; }, "calibration_images[1].name' is not known");
  refused([](Json& j) { j["calibration_images"] = 7; }, "'calibration_images': expected a list");
  refused([](Json& j) { j["images"] = 3; }, "'images': expected at most the 2 calibration_images");
  refused([](Json& j) { j["seed"] = -1; }, "'seed': expected a whole number");
}

TEST_F(ChangedTable, TextThatIsNoTableIsNamed) {
  std::string twice = json_.dump();
  twice.insert(1, "\"images\": 5,");
  EXPECT_THAT(error(twice), HasSubstr("'images' stands twice"));
  EXPECT_THAT(error(std::string(100'000, '[')), HasSubstr("at most 64 levels"));
  std::string deep = "{\"range\":";
  for (int i = 0; i < 100; ++i) deep += "{\"a\":";
  EXPECT_THAT(error(deep), HasSubstr("at most 64 levels"));
  EXPECT_THAT(error("{\"schema\": 1e999}"), HasSubstr("expected JSON"));
  EXPECT_THAT(error("7"), HasSubstr("expected a JSON object, found 7"));
  EXPECT_THAT(error(""), HasSubstr("expected JSON"));
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
    nlohmann::json json = nlohmann::json::parse(text);
    json["table_sha256"] = table_sha256(json);
    std::ofstream(path("t.json")) << json.dump();
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
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  }
}

}  // namespace
}  // namespace gpueval
