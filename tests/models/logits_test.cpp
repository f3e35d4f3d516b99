// SPDX-License-Identifier: Apache-2.0
// Every network computes the function that Keras computes: the same seeded weights and input, logits from tf-keras.
#include <gtest/gtest.h>

#include <cmath>

#include "golden.h"
#include "gpueval/engine.h"
#include "gpueval/quant.h"

namespace gpueval {
namespace {

class Logits : public testing::TestWithParam<Golden> {};

TEST_P(Logits, AgreeWithKeras) {
  const nlohmann::json& json = GetParam().json;
  const Graph graph = random_weights(GetParam().build(), json.at("seed").get<std::uint64_t>());
  const auto expected = json.at("logits").get<std::vector<std::vector<float>>>();
  const auto images = static_cast<int>(expected.size());
  ASSERT_GE(images, 1);
  const auto engine = make_engine("cpu", lower_float(graph), {.batch = images});
  const std::vector<float> input =
      seeded_input(json.at("input_seed").get<std::uint64_t>(), images * graph.input_node().shape.elements());
  const auto classes = static_cast<std::size_t>(graph.output_node().shape.c);
  std::vector<float> logits(static_cast<std::size_t>(images) * classes);
  engine->run(input, images, logits);
  for (std::size_t image = 0; image < expected.size(); ++image) {
    ASSERT_EQ(expected[image].size(), classes);
    double difference = 0, norm = 0;
    for (std::size_t k = 0; k < classes; ++k) {
      const double d = double{logits[image * classes + k]} - expected[image][k];
      difference += d * d;
      norm += double{expected[image][k]} * expected[image][k];
    }
    const double relative = std::sqrt(difference / norm);
    EXPECT_TRUE(relative <= 1e-4) << "image " << image << ": relative error " << relative;
    RecordProperty("relative_error", std::to_string(relative));
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, Logits, testing::ValuesIn(goldens()),
                         [](const auto& param) { return test_name(param.param.name); });

}  // namespace
}  // namespace gpueval
