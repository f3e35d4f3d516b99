// SPDX-License-Identifier: Apache-2.0
// The embedded toys that segment and detect compute what Keras computes of the first test picture
// (scripts/train_demo_scenes.py --golden).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "gpueval/dataset.h"
#include "gpueval/engine.h"
#include "gpueval/models.h"
#include "gpueval/quant.h"
#include "models/demo.h"

namespace gpueval {
namespace {

void expect_samples(const std::string& file) {
  std::ifstream stream(GPUEVAL_SOURCE_DIR "/tests/golden/data/" + file);
  ASSERT_TRUE(stream) << file;
  const nlohmann::json golden = nlohmann::json::parse(stream);
  const ModelSpec& spec = find_model(golden.at("model"));
  EXPECT_LT(embedded_weights(spec.name).size(), 400'000u);
  const Graph graph = bind_weights(spec.build({}), read_embedded_weights(spec.name));
  const auto data = open_demo_masks("test", 1);
  const Preprocessing preprocessing = make_preprocessing(spec.input, *data);
  std::vector<float> pixels(spec.input.elements());
  preprocessing.apply(data->decode(0), pixels);
  const OutputBuffers outputs(graph, 1);
  make_engine("cpu", lower_float(graph), {.batch = 1})->run(pixels, 1, outputs);
  ASSERT_EQ(graph.outputs.size(), golden.at("outputs").size());
  for (std::size_t o = 0; o < graph.outputs.size(); ++o) {
    const nlohmann::json& expected = golden.at("outputs").at(graph.outputs[o].name);
    const auto samples = expected.at("samples").get<std::vector<float>>();
    const auto step = expected.at("step").get<std::size_t>();
    ASSERT_EQ((outputs[o].size() + step - 1) / step, samples.size());
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      difference += std::pow(double{outputs[o][i * step]} - samples[i], 2);
      norm += std::pow(double{samples[i]}, 2);
    }
    EXPECT_TRUE(std::sqrt(difference / norm) <= 1e-4) << graph.outputs[o].name << ' ' << std::sqrt(difference / norm);
  }
}

TEST(DemoScenes, SegmentationAgreesWithKeras) { expect_samples("demo_segmentation.json"); }
TEST(DemoScenes, DetectionAgreesWithKeras) { expect_samples("demo_detection.json"); }

}  // namespace
}  // namespace gpueval
