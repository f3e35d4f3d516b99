// SPDX-License-Identifier: Apache-2.0
// Weights that Keras 3 split over several files: the same as those in one file, and nothing beside the index is opened.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "gpueval/error.h"
#include "gpueval/weights.h"

namespace gpueval {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(GPUEVAL_SOURCE_DIR) / "tests/golden/keras";

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A copy of the golden files, to be spoilt.
class ShardedWeights : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "gpueval_" + testing::UnitTest::GetInstance()->current_test_info()->name();
    restore();
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string index() const { return folder_ + "/k3_shards.weights.json"; }
  std::string shard(int i) const { return fmt::format("{}/k3_shards_{:05}.weights.h5", folder_, i); }
  void restore() const {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    for (const auto& entry : fs::directory_iterator(kGolden)) {
      if (entry.path().filename().string().starts_with("k3_shards")) fs::copy(entry.path(), folder_);
    }
  }
  void write(const std::string& text) const { std::ofstream(index()) << text; }
  // The golden index with one text in place of another.
  void replace(const std::string& old, const std::string& text) const {
    std::string json = bytes_of(index());
    ASSERT_NE(json.find(old), std::string::npos) << old;
    write(json.replace(json.find(old), old.size(), text));
  }
  // Begins with the file that is wrong.
  void expect_error(const std::string& file, const std::string& part) const {
    std::string message = "no error";
    try {
      read_weight_file(index());
    } catch (const Error& error) {
      message = error.what();
    }
    EXPECT_EQ(message.rfind(file + ": ", 0), 0u) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
    restore();
  }

  std::string folder_;
};

TEST_F(ShardedWeights, AreThoseOfOneFile) {
  const WeightFile one = read_weight_file((kGolden / "k3_whole.weights.h5").string());
  const WeightFile split = read_weight_file(index());
  EXPECT_EQ(split.path, index());
  EXPECT_EQ(split.format, one.format);
  ASSERT_EQ(split.layers.size(), 4u);
  ASSERT_EQ(one.layers.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(split.layers[i].name, one.layers[i].name);
    EXPECT_EQ(split.layers[i].group, one.layers[i].group);
    ASSERT_EQ(split.layers[i].arrays.size(), one.layers[i].arrays.size());
    for (std::size_t a = 0; a < one.layers[i].arrays.size(); ++a) {
      EXPECT_EQ(split.layers[i].arrays[a].name, one.layers[i].arrays[a].name);
      EXPECT_EQ(split.layers[i].arrays[a].array.shape, one.layers[i].arrays[a].array.shape);
      EXPECT_EQ(*split.layers[i].arrays[a].array.data, *one.layers[i].arrays[a].array.data);
    }
  }
}

TEST_F(ShardedWeights, TheirHashIsOfAllFiles) {
  const std::string before = read_weight_file(index()).sha256;
  // sha256sum of the four files, one behind the other
  EXPECT_EQ(before, "d16153538f106148c935b994594f2cb07f9b1e5b136f2bb02243eedbee4fc6ef");
  std::ofstream(shard(2), std::ios::app | std::ios::binary) << '\0';
  EXPECT_NE(read_weight_file(index()).sha256, before);
}

TEST_F(ShardedWeights, FilesThatAreNotAsTheIndexSays) {
  fs::remove(shard(1));
  expect_error(index(), "names the file " + shard(1) + ", which is not there");
  fs::resize_file(shard(1), 9000);
  expect_error(shard(1), "found a truncated or damaged HDF5 file");
  std::ofstream(shard(1)) << "";
  expect_error(shard(1), "found an empty file");
  std::ofstream(shard(1)) << "<html>";
  expect_error(shard(1), "found a file of another kind: an HTML page");
  fs::copy_file(GPUEVAL_SOURCE_DIR "/models/demo/demo.h5", shard(1), fs::copy_options::overwrite_existing);
  expect_error(shard(1), "expected a part of the weights that Keras 3 split");
  fs::copy_file(shard(0), shard(1), fs::copy_options::overwrite_existing);
  expect_error(shard(1), "holds '/layers/conv2d/vars', which " + index() + " does not look for there");
  replace("\"k3_shards_00002.weights.h5\"\n        ],\n        \"/layers/dense",
          "\"k3_shards_00000.weights.h5\"\n        ],\n        \"/layers/dense");
  expect_error(shard(2), "holds '/layers/conv2d_1/vars'");
  replace("/layers/dense/vars\": [", "/layers/dense/vars\": [\"k3_shards_00000.weights.h5\",");
  expect_error(index(), "'/layers/dense/vars' should be in " + shard(0) + ", which has no such weights");
  fs::copy_file(shard(2), folder_ + "/k3_shards_00003.weights.h5");
  replace("/layers/dense/vars\": [", "/layers/dense/vars\": [\"k3_shards_00003.weights.h5\",");
  replace("\"k3_shards_00002.weights.h5\"\n        ],\n        \"/layers/dense",
          "\"k3_shards_00002.weights.h5\", \"k3_shards_00003.weights.h5\"\n        ],\n        \"/layers/dense");
  expect_error(folder_ + "/k3_shards_00003.weights.h5", "'/layers/conv2d_1/vars/1' stands in another file");
}

TEST_F(ShardedWeights, NamesThatLeaveTheFolderOpenNothing) {
  for (const char* name :
       {"../k3_shards_00000.weights.h5", "/etc/passwd", "..", "", "a\\\\b.weights.h5", "a\\u0000b"}) {
    replace("k3_shards_00000.weights.h5", name);
    expect_error(index(), "expected the name of a file in the folder of the index");
  }
}

TEST_F(ShardedWeights, BadIndexes) {
  write("weights");
  expect_error(index(), "expected JSON");
  write(R"({"weight_map": )");
  expect_error(index(), "expected JSON");
  write(R"([1, 2])");
  expect_error(index(), "found other JSON");
  write(R"({"class_name": "Model"})");
  expect_error(index(), "JSON text (a network's description without its weights, perhaps)");
  write(R"({"weight_map": {}})");
  expect_error(index(), "the weight_map names 0 files");
  write(R"({"weight_map": []})");
  expect_error(index(), "weight_map");
  write(R"({"weight_map": {"/layers/a/vars": 3}})");
  expect_error(index(), "the name of a file, or a list of them");
  write(R"({"weight_map": {"/layers/a/vars": ["x", 3]}})");
  expect_error(index(), "/layers/a/vars");
  write(R"({"weight_map": {"/layers/a/vars": "x", "/layers/a/vars": "y"}})");
  expect_error(index(), "the key '/layers/a/vars' stands twice");
  write(std::string(100, '[') + std::string(100, ']'));
  expect_error(index(), "of at most 64 levels");
  write("{" + std::string(9 << 20, ' '));
  expect_error(index(), "expected at most");
}

}  // namespace
}  // namespace gpueval
