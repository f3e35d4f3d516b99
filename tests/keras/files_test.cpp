// SPDX-License-Identifier: Apache-2.0
// Files that Keras 3 and tf-keras wrote, and what they predicted.
#include <gtest/gtest.h>

#include <filesystem>

#include "gpueval/error.h"
#include "keras/predictions.h"
#include "support/data_files.h"

namespace gpueval {
namespace {

namespace fs = std::filesystem;

// Empty: as Keras predicted.
std::string difference(const std::string& path) {
  const std::map<std::string, NpyArray> golden = read_npz(path + ".npz");
  const std::vector<int>& input = golden.at("in_0").shape;
  KerasOptions options;
  if (path.find("unet") != std::string::npos) options.input = {input[1], input[2]};  // which it leaves open
  const KerasNetwork network = import_keras(path, options);
  // Keras rounds to 11 bits behind every layer.
  const auto half_note = [](const std::string& note) { return note.find("float16") != std::string::npos; };
  const bool half = std::any_of(network.notes.begin(), network.notes.end(), half_note);
  for (const auto& [output, relative] : test::differences(network, golden)) {
    if (!(relative <= (half ? 1e-3 : 1e-4))) return "output '" + output + "' differs by " + std::to_string(relative);
  }
  return "";
}

TEST(KerasFiles, RealFilesGiveWhatKerasPredicted) {
  const fs::path folder = test::real_data("keras_models");
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  int compared = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string path = entry.path().string();
    if (entry.path().extension() == ".npz") continue;
    if (!fs::exists(path + ".npz")) continue;  // its own Keras cannot read it
    try {
      EXPECT_EQ(difference(path), "") << path;
      ++compared;
    } catch (const Error& error) {  // what is not supported has a sentence
      const std::string sentence = error.what();
      const bool expected = sentence.find("has 2 inputs (img, img2)") != std::string::npos ||
                            sentence.find("'lam' (Lambda: Python code, which is not run") != std::string::npos;
      EXPECT_TRUE(expected) << sentence;
    }
  }
  EXPECT_GE(compared, 40);
}

TEST(KerasFiles, SplitWeightsAreNoWholeNetwork) {
  const std::string path = GPUEVAL_SOURCE_DIR "/tests/golden/keras/k3_shards.weights.json";
  EXPECT_FALSE(describes_model(path));
  try {
    import_keras(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).rfind(path + ": holds weights alone", 0), 0u) << error.what();
  }
}

}  // namespace
}  // namespace gpueval
