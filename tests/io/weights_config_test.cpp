// SPDX-License-Identifier: Apache-2.0
// Guards what a file's backend, names, heads and variances say about its weights.
#include <gtest/gtest.h>

#include "gpueval/error.h"
#include "gpueval/weights.h"
#include "io/weights/name_layers.h"
#include "support/toy_weights.h"

namespace gpueval {
namespace {

using test::file_of;
using test::toy;

TEST(BindWeights, BackendsWhoseKernelsAreTurned) {
  const Graph graph = toy();
  WeightFile file = file_of(graph);
  for (const char* backend : {"", "tensorflow", "jax", "torch", "cntk"}) {
    file.backend = backend;
    EXPECT_NO_THROW(bind_weights(graph, file)) << backend;
  }
  file.backend = "theano";
  try {
    bind_weights(graph, file);
    FAIL() << "bound";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the file says backend theano"), std::string::npos) << error.what();
  }
}

// tf-keras archives number their groups and name nothing.
TEST(NameLayers, ByTheRankOfTheirClassInTheDescription) {
  WeightFile file{.path = "toy.keras"};
  file.config = R"({"class_name": "Functional", "config": {"layers": [
    {"class_name": "InputLayer", "name": "img", "config": {}}, {"class_name": "Conv2D", "name": "c", "config": {}},
    {"class_name": "BatchNormalization", "config": {"name": "n"}}, {"class_name": "ReLU", "name": "r", "config": {}},
    {"class_name": "Conv2D", "name": "d", "config": {}}, {"class_name": "my>Dense", "name": "f", "config": {}}]}})";
  for (const char* group : {"conv2d", "conv2d_1", "batch_normalization", "dense", "re_lu", "conv2d_2"}) {
    file.layers.push_back({.name = "", .group = group, .arrays = {}});
  }
  name_layers(file);
  std::vector<std::string> names;
  for (const WeightLayer& layer : file.layers) names.push_back(layer.name);
  EXPECT_EQ(names, (std::vector<std::string>{"c", "d", "n", "f", "r", ""}));
}

TEST(BindWeights, VariancesThatGiveNoNumber) {
  const Graph graph = toy();
  const auto with_variance = [&](float value) {
    WeightFile file = file_of(graph);
    std::vector<float> values(4, 0.5f);
    values[2] = value;
    file.layers[1].arrays[3].array.data = std::make_shared<const std::vector<float>>(values);
    try {
      bind_weights(graph, file);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(with_variance(0), "no error");
  EXPECT_EQ(with_variance(-0.0005f), "no error") << "epsilon makes up for it";
  for (const float bad : {-0.001f, -0.5f}) {
    const std::string message = with_variance(bad);
    EXPECT_NE(message.find("'moving_variance' of layer 'n' is"), std::string::npos) << message;
    EXPECT_NE(message.find("in channel 2: variance + epsilon (0.001) must be positive"), std::string::npos) << message;
  }
}

TEST(BindWeights, AFileOfAnotherHeadSaysItsClasses) {
  const Graph graph = toy();
  WeightFile file = file_of(graph);
  EXPECT_TRUE(fits(graph, file));
  EXPECT_EQ(classes_of_other_head(graph, file), 0);
  file.layers.back().arrays[0].array.shape = {4, 10};
  file.layers.back().arrays[1].array.shape = {10};
  EXPECT_FALSE(fits(graph, file));
  EXPECT_EQ(classes_of_other_head(graph, file), 10);
  try {
    bind_weights(graph, file);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the last layer ('f') gives 10 classes, the built-in network (toy) has 2"),
              std::string::npos)
        << error.what();
  }
  file.layers[0].arrays[0].array.shape = {3, 3, 3, 8};
  EXPECT_EQ(classes_of_other_head(graph, file), 0) << "more than the head differs";
}

}  // namespace
}  // namespace gpueval
