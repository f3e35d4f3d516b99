// SPDX-License-Identifier: Apache-2.0
// Networks that detect and segment give what tf-keras gives (scripts/make_segdet_goldens.py), and files with other
// numbers of classes bind.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <utility>

#include "cpu/int8/isa.h"
#include "golden.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "graph/passes.h"
#include "keras/integer_layers.h"

namespace gpueval {
namespace {

class SegmentationAndDetection : public testing::TestWithParam<Golden> {};

TEST_P(SegmentationAndDetection, AgreeWithKeras) {
  const nlohmann::json& json = GetParam().json;
  const Graph graph = random_weights(GetParam().build(), json.at("seed").get<std::uint64_t>());
  EXPECT_EQ(graph.parameter_count(), json.at("parameters").get<std::int64_t>());
  const auto engine = make_engine("cpu", lower_float(graph), {.batch = 1});
  const OutputBuffers outputs(graph, 1);
  engine->run(seeded_input(json.at("input_seed").get<std::uint64_t>(), graph.input_node().shape.elements()), 1,
              outputs);
  ASSERT_EQ(graph.outputs.size(), json.at("outputs").size());
  for (std::size_t o = 0; o < graph.outputs.size(); ++o) {
    SCOPED_TRACE(graph.outputs[o].name);
    const nlohmann::json& expected = json.at("outputs").at(graph.outputs[o].name);
    EXPECT_EQ(expected.at("shape").back().get<int>(), graph.node(graph.outputs[o].node).shape.c);
    const std::vector<float> samples = expected.at("samples").get<std::vector<float>>();
    const auto step = expected.at("step").get<std::size_t>();
    ASSERT_EQ((outputs[o].size() + step - 1) / step, samples.size());
    double difference = 0, norm = 0, whole = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      difference += std::pow(double{outputs[o][i * step]} - samples[i], 2);
      norm += std::pow(double{samples[i]}, 2);
    }
    for (const float x : outputs[o]) whole += std::pow(double{x}, 2);
    EXPECT_TRUE(std::sqrt(difference / norm) <= 1e-4) << "relative error " << std::sqrt(difference / norm);
    EXPECT_NEAR(std::sqrt(whole) / expected.at("norm").get<double>(), 1, 1e-5);
    RecordProperty("relative_error_" + graph.outputs[o].name,
                   std::to_string(1e6 * std::sqrt(difference / norm)) + "e-6");
  }
}

// int8 at every level of the CPU's instruction sets, layer by layer, of thin networks with small pictures.
struct Thin {
  const char* model;
  ModelOptions options;
};

class ThinSegmentationAndDetection : public testing::TestWithParam<Thin> {
 protected:
  void TearDown() override { unsetenv("GPUEVAL_CPU_ISA"); }
};

TEST_P(ThinSegmentationAndDetection, AreBitExactAtEveryLevel) {
  const auto& [model, options] = GetParam();
  const Graph bound = random_weights(find_model(model).build(options), 3);
  const std::vector<float> picture = seeded_input(5, bound.input_node().shape.elements());
  CalibrationTable table;
  bool done = false;
  const auto source = [&](std::vector<float>& batch, int) {
    batch = picture;
    return std::exchange(done, true) ? 0 : 1;
  };
  table.range = observe_ranges(*make_engine("cpu", lower_float(bound), {.batch = 1, .every_node = true}), source, 1);
  const Graph graph = join_dilations(lower_static(bound, table, {}), [](const Node& conv) {
    return conv.integer.has_value();
  });  // the engine's own form
  reference::NetworkResult checked;
  for (const cpu::Isa isa : cpu::usable_isas()) {
    SCOPED_TRACE(to_string(isa));
    ASSERT_EQ(setenv("GPUEVAL_CPU_ISA", to_string(isa).c_str(), 1), 0);
    const auto engine = make_engine("cpu", graph, {.batch = 1});
    const reference::NetworkResult result = test::run_engine(*engine, picture);
    EXPECT_GT(test::expect_reference(graph, result, checked), 20);
    const OutputBuffers whole(graph, 1);  // as users run it
    engine->run(picture, 1, whole);
    for (std::size_t o = 0; o < graph.outputs.size(); ++o) {
      const std::vector<float>& tapped = result.floats[static_cast<std::size_t>(graph.outputs[o].node)].values;
      EXPECT_TRUE(std::equal(tapped.begin(), tapped.end(), whole[o].begin(), whole[o].end())) << graph.outputs[o].name;
    }
    checked = result;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, ThinSegmentationAndDetection,
    testing::Values(Thin{"ssd300", {.alpha = 0.0625, .variant = {}, .height = 257, .width = 257}},
                    Thin{"unet", {.alpha = 0.125, .variant = {}, .height = 64, .width = 96}},
                    Thin{"unet_standard", {.alpha = 0.0625, .variant = {}, .height = 64, .width = 64}},
                    Thin{"deeplabv3plus_mobilenetv2", {.alpha = 1, .variant = {}, .height = 64, .width = 64}}),
    [](const auto& param) { return std::string(param.param.model); });

// A file of the network that the variant names: each layer by its name.
WeightFile file_of(const Graph& graph) {
  WeightFile file{.path = "own.h5"};
  for (const Node& node : random_weights(graph, 1).nodes) {
    if (node.params.empty()) continue;
    WeightLayer layer{.name = node.name};
    for (const Param& param : node.params) layer.arrays.push_back({to_string(param.role) + ":0", param.array});
    file.layers.push_back(std::move(layer));
  }
  return file;
}

TEST(ClassCounts, AreThoseOfTheFile) {
  for (const ModelSpec& spec : models()) {
    if (spec.truth == TruthKind::kClass || !spec.detect_variant) continue;
    for (const char* variant : {"", "7_classes"}) {
      const ModelOptions options{.alpha = 1.0 / 64, .variant = variant};
      const Graph graph = spec.build(options);
      const bool by_width = spec.name.starts_with("unet");  // whose files are known by their 64 channels
      const WeightFile file = file_of(by_width ? spec.build({.variant = variant}) : graph);
      EXPECT_EQ(spec.detect_variant(file), variant) << spec.name;
      if (by_width) continue;
      EXPECT_NO_THROW(bind_weights(spec.build(options), file)) << spec.name;
    }
    EXPECT_EQ(spec.detect_variant(file_of(find_model("squeezenet").build({}))), "") << spec.name;
  }
}

// gamma of the ported files has a name that says nothing, and other classes another name of the last layer.
TEST(ClassCounts, FilesOfOthersBind) {
  const ModelOptions thin{.alpha = 1.0 / 64, .variant = {}};
  for (const char* gamma : {"conv4_3_norm/weights_0:0", "conv4_3_norm_gamma:0"}) {
    WeightFile file = file_of(find_model("ssd300").build(thin));
    for (WeightLayer& layer : file.layers) {
      if (layer.name == "conv4_3_norm") layer.arrays[0].name = gamma;
    }
    EXPECT_NO_THROW(bind_weights(find_model("ssd300").build(thin), file)) << gamma;
  }
  const ModelSpec& deeplab = find_model("deeplabv3plus_mobilenetv2");
  WeightFile file = file_of(deeplab.build({.variant = "3_classes"}));
  file.layers.back().name = "custom_logits_semantic";
  EXPECT_EQ(deeplab.detect_variant(file), "3_classes");
  EXPECT_NO_THROW(bind_weights(deeplab.build({.variant = "3_classes"}), file));
  // Another head of a network with several outputs is named as any other layer is.
  try {
    bind_weights(find_model("ssd300").build(thin),
                 file_of(find_model("ssd300").build({.alpha = 1.0 / 64, .variant = "4_classes"})));
    FAIL() << "bound";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'conv4_3_norm_mbox_conf' has the shape (3, 3, 8, 16)"), std::string::npos)
        << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, SegmentationAndDetection, testing::ValuesIn(goldens("segdet")),
                         [](const auto& param) { return test_name(param.param.name); });

}  // namespace
}  // namespace gpueval
