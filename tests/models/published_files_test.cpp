// SPDX-License-Identifier: Apache-2.0
// The published weight files at hand, by the names that each network looks for.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "gpueval/error.h"
#include "gpueval/models.h"

namespace gpueval {
namespace {

std::string data_folder() {
  const char* folder = std::getenv("GPUEVAL_DATA");
  return folder != nullptr ? folder : GPUEVAL_DEFAULT_DATA;
}

class PublishedFiles : public testing::TestWithParam<std::pair<const char*, double>> {};

TEST_P(PublishedFiles, Bind) {
  const ModelSpec& spec = find_model(GetParam().first);
  const ModelOptions options{.alpha = GetParam().second, .variant = {}};
  const std::string path = data_folder() + "/weights/" + spec.weight_files(options).front();
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "there is no " << path;
  const WeightFile file = read_weight_file(path);
  EXPECT_EQ(file.format, "keras-h5");
  const Graph graph = bind_weights(spec.build(options), file);
  for (const Node& node : graph.nodes) {
    for (const Param& param : node.params) {
      ASSERT_TRUE(param.array.data) << node.name;
      EXPECT_EQ(static_cast<std::int64_t>(param.array.data->size()), param.array.elements()) << node.name;
      if (param.role != Role::kVariance) continue;
      for (const float variance : *param.array.data) ASSERT_GT(variance, 0) << node.name;
    }
  }
  // Another width of the same network has the same layer names: the shapes must refuse it, not the names.
  if (spec.alphas.size() > 1) {
    try {
      bind_weights(spec.build({.alpha = 1, .variant = {}}), file);
      FAIL() << "bound the weights of another width";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("'conv1' has the shape (3, 3, 3, 8), mobilenet_1 expects (3, 3, 3, 32)"),
                std::string::npos)
          << error.what();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, PublishedFiles,
                         testing::Values(std::pair{"mobilenet", 0.25}, std::pair{"squeezenet", 1.0}),
                         [](const auto& param) { return std::string(param.param.first); });

}  // namespace
}  // namespace gpueval
