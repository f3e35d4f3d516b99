// SPDX-License-Identifier: Apache-2.0
// Files of every generation as Keras wrote them: `make_model_goldens.py oracle FOLDER`, then GPUEVAL_ORACLE=FOLDER.
// Their weights are random_weights of the manifest's seed, so each bound array is compared bit for bit.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "gpueval/error.h"
#include "gpueval/keras.h"
#include "gpueval/models.h"

namespace gpueval {
namespace {

const char* oracle_folder() { return std::getenv("GPUEVAL_ORACLE"); }

void expect_same_weights(const Graph& bound, const Graph& expected, const std::string& path) {
  for (std::size_t i = 0; i < expected.nodes.size(); ++i) {
    for (std::size_t p = 0; p < expected.nodes[i].params.size(); ++p) {
      const Param& param = bound.nodes[i].params[p];
      ASSERT_TRUE(param.array.data) << path << ": " << bound.nodes[i].name;
      ASSERT_TRUE(*param.array.data == *expected.nodes[i].params[p].array.data)
          << path << ": " << bound.nodes[i].name << " " << to_string(param.role);
    }
  }
}

TEST(Oracle, EveryGenerationBindsBitForBit) {
  if (oracle_folder() == nullptr) {
    GTEST_SKIP() << "GPUEVAL_ORACLE is not set (a folder made by scripts/make_model_goldens.py oracle)";
  }
  const std::string folder = oracle_folder();
  std::ifstream stream(folder + "/manifest.json");
  ASSERT_TRUE(stream) << folder;
  const nlohmann::json manifest = nlohmann::json::parse(stream);
  int files = 0;
  for (const auto& [network, entry] : manifest.items()) {
    const ModelSpec& spec = find_model(entry.at("model"));
    const ModelOptions options{.alpha = entry.at("alpha"), .variant = entry.at("variant")};
    const Graph expected = random_weights(spec.build(options), entry.at("seed").get<std::uint64_t>());
    for (const std::string name : entry.at("files")) {
      const std::string path = folder + "/" + network + "/" + name;
      SCOPED_TRACE(path);
      const WeightFile file = read_weight_file(path);
      // tf-keras's .weights.h5 has no layer names: nothing in it can tell the published ResNet50 from the current one.
      if (spec.detect_variant && name != "tf_keras.weights.h5") {
        EXPECT_EQ(spec.detect_variant(file), options.variant);
      }
      expect_same_weights(bind_weights(spec.build(options), file), expected, path);
      EXPECT_TRUE(check_description(spec.build(options), file).empty());
      ++files;
    }
  }
  EXPECT_GT(files, 0);
  RecordProperty("files", files);
}

}  // namespace
}  // namespace gpueval
