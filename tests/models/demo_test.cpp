// SPDX-License-Identifier: Apache-2.0
// The embedded network: its weights come out of the program whole, and it computes what Keras computes from them.
#include "models/demo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "gpueval/engine.h"
#include "gpueval/models.h"
#include "gpueval/quant.h"

namespace gpueval {
namespace {

std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Graph bound_demo() { return bind_weights(find_model("demo").build({}), read_demo_weights()); }

TEST(Demo, CarriesItsWeights) {
  const std::vector<char> source = read_file(GPUEVAL_SOURCE_DIR "/models/demo/demo.h5");
  const auto embedded = embedded_weights("demo");
  ASSERT_EQ(embedded.size(), source.size());
  EXPECT_TRUE(std::equal(source.begin(), source.end(), reinterpret_cast<const char*>(embedded.data())));
  const WeightFile file = read_demo_weights(), from_disk = read_weight_file(GPUEVAL_SOURCE_DIR "/models/demo/demo.h5");
  EXPECT_EQ(file.path, "embedded demo.h5");
  EXPECT_EQ(file.sha256, from_disk.sha256);
  EXPECT_EQ(file.format, from_disk.format);
  EXPECT_EQ(file.layers.size(), from_disk.layers.size());
  EXPECT_LT(source.size(), 500'000u);
}

TEST(Demo, IsAMobileNetOf75370Parameters) {
  const Graph graph = bound_demo();
  EXPECT_EQ(graph.parameter_count(), 75370);
  EXPECT_EQ(graph.output_node().shape.c, 10);
  EXPECT_GE(graph.find("conv_dw_6"), 0);
}

TEST(Demo, LogitsAgreeWithKeras) {
  constexpr int kImages = 10, kClasses = 10;
  const InputSpec input = find_model("demo").input;
  const auto data = open_demo("test", kImages);
  const auto pixels = static_cast<std::size_t>(input.height * input.width) * 3;
  std::vector<float> batch(kImages * pixels), logits(kImages * kClasses);
  for (std::size_t i = 0; i < kImages; ++i) {
    make_preprocessing(input, *data).apply(data->decode(i), std::span(batch).subspan(i * pixels, pixels));
  }
  make_engine("cpu", lower_float(bound_demo()), {.batch = kImages})->run(batch, kImages, logits);
  std::ifstream golden(GPUEVAL_SOURCE_DIR "/tests/golden/data/demo_logits.txt");
  double difference = 0, norm = 0;
  for (const float value : logits) {
    double expected = 0;
    ASSERT_TRUE(golden >> expected);
    difference += (value - expected) * (value - expected);
    norm += expected * expected;
  }
  EXPECT_TRUE(std::sqrt(difference / norm) <= 1e-5) << std::sqrt(difference / norm);
}

}  // namespace
}  // namespace gpueval
