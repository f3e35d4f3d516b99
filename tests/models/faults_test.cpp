// SPDX-License-Identifier: Apache-2.0
// Files of real networks that are not what the built-in network is: each is refused by a sentence that says why.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "gpueval/error.h"
#include "gpueval/keras.h"
#include "gpueval/models.h"

namespace gpueval {
namespace {

struct Fault {
  const char *file, *part;
};

class RealFaults : public testing::TestWithParam<Fault> {};

TEST_P(RealFaults, AreNamed) {
  const char* folder = std::getenv("GPUEVAL_DATA");
  const std::string path =
      std::string(folder != nullptr ? folder : GPUEVAL_DEFAULT_DATA) + "/faults/" + GetParam().file;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "there is no " << path;
  try {
    const WeightFile file = read_weight_file(path);
    const Graph graph = find_model("mobilenet").build({.alpha = 0.25, .variant = {}});
    bind_weights(graph, file);
    check_description(graph, file);
    FAIL() << "bound";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_EQ(message.rfind(path, 0), 0u) << message;
    EXPECT_NE(message.find(GetParam().part), std::string::npos) << message;
  }
}

TEST(RealFaultsThatLoad, Bfloat16) {
  const char* folder = std::getenv("GPUEVAL_DATA");
  const std::string path = std::string(folder != nullptr ? folder : GPUEVAL_DEFAULT_DATA) + "/faults/bfloat16.keras";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "there is no " << path;
  const WeightFile file = read_weight_file(path);
  const Graph built = find_model("mobilenet").build({.alpha = 0.25, .variant = {}}), graph = bind_weights(built, file);
  EXPECT_TRUE(check_description(built, file).empty());
  for (const float x : *graph.nodes[1].params.front().array.data) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(x) & 0xffffu, 0u);  // 16 bits of a float32
  }
}

INSTANTIATE_TEST_SUITE_P(
    Weights, RealFaults,
    testing::Values(
        Fault{"m128.keras", "layer 'input_layer_1' has input shape 128x128x3, mobilenet_0.25 has 224x224x3"},
        Fault{"relu_eps.keras",
              "layer 'conv1_bn' has epsilon 0.1, mobilenet_0.25 has 0.001; layer 'conv1_relu' has "
              "activation relu, mobilenet_0.25 has relu6; 54 differences in all"},
        Fault{"negative_variance.h5", "'conv1_bn/moving_variance:0' of layer 'conv1_bn' is -0.01 in channel 0"},
        Fault{"nested.h5", "'mobilenet_0.25_224' holds the weights of"},
        Fault{"nested.keras", "'functional' is a model nested in another"},
        Fault{"wrap.keras", "is a model nested in another"},
        Fault{"sub.weights.h5", "'backbone' is an attribute of a subclassed model"},
        Fault{"m10.h5", "gives 10 classes, the built-in network (mobilenet_0.25) has 1000"},
        Fault{"m10.keras", "gives 10 classes, the built-in network (mobilenet_0.25) has 1000"},
        Fault{"hostile/zip_bomb.keras", "is packed by method 12"}),
    [](const auto& param) {
      std::string name = param.param.file;
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
      return name;
    });

}  // namespace
}  // namespace gpueval
