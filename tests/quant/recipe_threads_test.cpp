// SPDX-License-Identifier: Apache-2.0
// The number of threads changes nothing in a calibration table.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <memory>

#include "core/random.h"
#include "gpueval/accuracy.h"
#include "gpueval/dataset.h"
#include "gpueval/engine.h"
#include "gpueval/models.h"
#include "gpueval/quant.h"
#include "gpueval/weights.h"
#include "models/demo.h"
#include "quant/recipe/covariance.h"
#include "support/data_files.h"

namespace gpueval::test {
namespace {

class RecipeThreads : public testing::Test {
 protected:
  ~RecipeThreads() override { set_threads(before_); }

 private:
  int before_ = threads();
};

// Long and narrow, square and flat products: libraries share them out in different ways.
TEST_F(RecipeThreads, CovarianceWithFloatsIsTheSame) {
  Random random(41);
  for (const auto& [depth, outputs, positions] : std::vector<std::array<int, 3>>{
           {3, 8, 2100}, {27, 16, 1500}, {64, 64, 1024}, {600, 24, 700}, {40, 500, 300}, {700, 300, 64}}) {
    ImageTensor src(DType::kU8, {.n = 1, .h = positions, .w = 1, .c = depth}, 1);
    for (std::byte& b : src.bytes) b = static_cast<std::byte>(random.integer(0, 255));
    std::vector<std::int64_t> at(static_cast<std::size_t>(positions));
    for (std::size_t i = 0; i < at.size(); ++i) at[i] = static_cast<std::int64_t>(i);
    std::vector<float> y(at.size() * static_cast<std::size_t>(outputs));
    for (float& v : y) v = static_cast<float>(random.normal());
    const ConvDesc desc{.h = positions, .c = depth, .k = outputs};
    const Patches patches(src, 0, desc, at);
    set_threads(1);
    const Covariance one = covariance(patches, y, static_cast<std::size_t>(outputs));
    for (const int count : {2, 3, 8}) {
      set_threads(count);
      const Covariance several = covariance(patches, y, static_cast<std::size_t>(outputs));
      EXPECT_EQ(several.inputs.values, one.inputs.values) << depth << " inputs, " << count << " threads";
      EXPECT_EQ(several.outputs, one.outputs) << depth << " inputs, " << count << " threads";
    }
  }
}

TEST_F(RecipeThreads, TheDemosTableIsTheSameBytes) {
  const ModelSpec& spec = find_model("demo");
  const Graph graph = bind_weights(spec.build({}), read_demo_weights());
  const auto data = open_demo("calibration", 16);
  const CalibrationImages images = [&] {
    return image_source(*data, make_preprocessing(spec.input, *data), 0, 16, nullptr);
  };
  const QuantOptions options{.scheme = Scheme::kBest, .corrections = default_corrections(Scheme::kBest)};
  const TemporaryFolder folder;
  const auto save = [&](int count, const std::string& name) {
    set_threads(count);
    std::filesystem::create_directory(folder / name);
    save_table(calibrate(graph, images, options), folder / (name + "/table.json"));
  };
  save(1, "one");
  for (const auto& [count, name] : {std::pair{2, "two"}, {3, "three"}}) {
    save(count, name);
    for (const std::string file : {"/table.json", "/table.weights"}) {
      const auto one = read_bytes(folder / ("one" + file));
      EXPECT_GT(one.size(), 1000u);
      EXPECT_TRUE(one == read_bytes(folder / (name + file))) << file << " with " << count << " threads";
    }
  }
}

}  // namespace
}  // namespace gpueval::test
