// SPDX-License-Identifier: Apache-2.0
// Whole models of built-in networks, as Keras describes them: their weights make of the built-in network the very
// network that is in the file, and a file that differs in one place is refused.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <tuple>

#include "core/random.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "gpueval/models.h"
#include "gpueval/quant.h"
#include "keras/family.h"

namespace gpueval {
namespace {

using Json = nlohmann::json;

const std::string kFolder = GPUEVAL_SOURCE_DIR "/tests/golden/keras/";

// The same file for both ways to read it.
struct ModelFile {
  KerasFile model;
  WeightFile weights;
};

std::string layer_of(const std::string& node) {
  for (const std::string_view suffix : {"/dilated", "/depthwise", "/pointwise"}) {
    if (node.ends_with(suffix)) return node.substr(0, node.size() - suffix.size());
  }
  return node;
}

Array numbers(const Param& param, Random& random) {
  const bool positive = param.role == Role::kVariance;
  std::vector<float> values(static_cast<std::size_t>(param.array.elements()));
  for (float& x : values) x = static_cast<float>(random.uniform(positive ? 0.5 : -0.1, positive ? 2 : 0.1));
  return {param.array.shape, std::make_shared<const std::vector<float>>(std::move(values))};
}

// Every layer of the description with weights; without them, their shapes.
ModelFile whole_model(const Json& config, const ModelOptions& options, bool with_numbers) {
  ModelFile file;
  file.model.path = file.weights.path = "model.h5";
  file.model.config = file.weights.config = config.dump();
  file.model.keras_version = file.weights.keras_version = config.value("keras_version", "3.0.0");
  const InputSize size{options.height, options.width};
  const KerasNetwork network = keras::import_file(file.model, {.input = size, .weights = false});
  Random random(7);
  for (const Node& node : network.graph.nodes) {
    const std::string layer = layer_of(node.name);
    for (const Param& param : node.params) {
      if (param.array.data != nullptr) continue;  // made by the importer
      std::vector<WeightLayer>& layers = file.weights.layers;
      if (layers.empty() || layers.back().name != layer) {
        layers.push_back({.name = layer, .group = {}, .arrays = {}});
        file.model.groups.push_back({.path = layer, .name = layer, .arrays = {}});
      }
      const Array array = with_numbers ? numbers(param, random) : param.array;
      const std::string name = layer + "/" + to_string(param.role) + ":0";
      layers.back().arrays.push_back({name, array});
      file.model.groups.back().arrays.push_back({name, array});
    }
  }
  return file;
}

std::map<std::string, std::vector<float>> outputs_of(const Graph& graph) {
  Random random(11);
  std::vector<float> pixels(static_cast<std::size_t>(graph.input_node().shape.elements()));
  for (float& x : pixels) x = static_cast<float>(random.uniform(-1, 1));
  OutputBuffers buffers(graph, 1);
  make_engine("cpu", lower_float(graph), {.batch = 1})->run(pixels, 1, buffers);
  std::map<std::string, std::vector<float>> outputs;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    outputs[graph.outputs.size() > 1 ? graph.outputs[i].name : ""].assign(buffers[i].begin(), buffers[i].end());
  }
  return outputs;
}

struct Network {
  const char* name;
  ModelOptions options;
};

Json description_of(const char* name) {
  return Json::parse(read_zip(kFolder + "built_in.zip").at(std::string(name) + ".json"));
}

const Network kSsd{"ssd300", {.alpha = 0.0625, .variant = {}, .height = 257, .width = 257}},
    kUnet{"unet", {.variant = {}, .height = 32, .width = 32}},
    kDeepLab{"deeplabv3plus_mobilenetv2", {.variant = {}, .height = 64, .width = 64}};

class WholeModels : public testing::TestWithParam<Network> {};

// Dilated convolutions, several outputs, and elements in another order.
TEST_P(WholeModels, GiveTheBitsOfTheNetworkInTheFile) {
  const ModelFile file = whole_model(description_of(GetParam().name), GetParam().options, true);
  const Graph built = find_model(GetParam().name).build(GetParam().options);
  EXPECT_TRUE(check_description(built, file.weights).empty());
  const KerasNetwork network = keras::import_file(file.model, {});
  EXPECT_EQ(outputs_of(bind_weights(built, file.weights)), outputs_of(network.graph));
}

INSTANTIATE_TEST_SUITE_P(BuiltIn, WholeModels, testing::Values(kSsd, kUnet, kDeepLab),
                         [](const auto& param) { return std::string(param.param.name); });

Json& layer_in(Json& model, const std::string& name) {
  for (Json& layer : model["config"]["layers"]) {
    if (layer["config"]["name"] == name) return layer;
  }
  ADD_FAILURE() << "no layer " << name;
  return model;
}

// All that reads `from` reads what `to` is.
void reconnect(Json& model, const std::string& from, const std::string& to) {
  for (Json& layer : model["config"]["layers"]) {
    for (Json& call : layer["inbound_nodes"]) {
      for (Json& source : call) {
        if (source[0] == from) source[0] = to;
      }
    }
  }
}

void expect_refusal(const Network& network, const std::function<void(Json&)>& change, const std::string& part) {
  Json model = description_of(network.name);
  WeightFile file = whole_model(model, network.options, false).weights;
  change(model);
  file.config = model.dump();
  try {
    check_description(find_model(network.name).build(network.options), file);
    ADD_FAILURE() << "accepted; expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what() << "\nexpected: " << part;
  }
}

void expect_setting(const Network& network, const std::string& name, const char* setting, const Json& value,
                    const std::string& part) {
  expect_refusal(
      network, [&](Json& model) { layer_in(model, name)["config"][setting] = value; }, part);
}

TEST(WholeModelsThatDiffer, InASetting) {
  expect_setting(kSsd, "fc6", "dilation_rate", {5, 5}, "layer 'fc6' has dilation 5x5, ssd300 has 6x6");
  expect_setting(kSsd, "fc7", "activation", "relu6", "layer 'fc7/activation' has activation relu6, ssd300 has relu");
  expect_setting(kSsd, "conv6_2", "strides", {1, 1}, "layer 'conv6_2' has strides 1x1, ssd300 has 2x2");
  expect_setting(kDeepLab, "expanded_conv_14_depthwise", "dilation_rate", {2, 2},
                 "layer 'expanded_conv_14_depthwise' has dilation 2x2, deeplabv3plus_mobilenetv2 has 4x4");
  expect_setting(kDeepLab, "Conv", "strides", {1, 1},
                 "layer 'Conv' has strides 1x1, deeplabv3plus_mobilenetv2 has 2x2");
  expect_setting(kDeepLab, "Conv_BN", "epsilon", 1e-5, "layer 'Conv_BN' has epsilon 1e-05");
  expect_setting(kDeepLab, "logits_semantic", "filters", 19,
                 "layer 'logits_semantic' has kernel (1, 1, 256, 19), deeplabv3plus_mobilenetv2 has (1, 1, 256, 21)");
  expect_setting(kUnet, "concatenate", "axis", 1,
                 "layer 'concatenate' has settings other than those of 'concatenate_1' (Concat), unet has its own");
  expect_setting(kUnet, "up_sampling2d_1", "interpolation", "bilinear",
                 "'up_sampling2d_1' (ResizeLinear) where unet has 'up_sampling2d_2' (ResizeNearest)");
}

TEST(WholeModelsThatDiffer, InHowLayersAreConnected) {
  const auto swap_inputs = [](const std::string& name) {
    return [name](Json& model) {
      Json& call = layer_in(model, name)["inbound_nodes"][0];
      std::swap(call[0], call[1]);
    };
  };
  expect_refusal(kSsd, swap_inputs("mbox_loc"), "'fc7_mbox_loc' (Conv2D) where ssd300 has 'conv4_3_norm_mbox_loc'");
  expect_refusal(kUnet, swap_inputs("concatenate"), "where unet has 'up_sampling2d_1' (ResizeNearest)");
  expect_refusal(
      kDeepLab, [](Json& model) { reconnect(model, "add", "expanded_conv_2_project_BN"); },
      "'expanded_conv_2_project_BN' (BatchNorm) where deeplabv3plus_mobilenetv2 has 'expanded_conv_2_add' (Add)");
  expect_refusal(
      kSsd,
      [](Json& model) {
        model["config"]["output_layers"] = Json::array({Json::array({"mbox_loc", 0, 0})});
      },
      "the model has 1 outputs, ssd300 has 2");
  // A permutation that is none.
  expect_refusal(
      kUnet,
      [](Json& model) {
        layer_in(model, "reshape")["config"]["target_shape"] = {32 * 32, 2};
        layer_in(model, "permute")["config"]["dims"] = {1, 2};
      },
      "which orders elements in another way");
}

// What keras.applications describes, with the classes of ImageNet.
class Applications : public testing::TestWithParam<std::tuple<const char*, const char*, ModelOptions>> {};

TEST_P(Applications, AreTheBuiltInNetworks) {
  const auto& [saved, name, size] = GetParam();
  Json model = Json::parse(read_zip(kFolder + "families/" + saved + ".zip").at("config.json"));
  for (Json& layer : model["config"]["layers"]) {
    for (const char* setting : {"units", "filters"}) {
      if (layer["config"].value(setting, Json()) == 100) layer["config"][setting] = 1000;
    }
    if (layer["config"].value("target_shape", Json()) == Json::array({100})) layer["config"]["target_shape"] = {1000};
  }
  const ModelSpec& spec = find_model(name);
  const WeightFile file = whole_model(model, size, false).weights;
  ModelOptions options = size;
  if (spec.detect_variant) options.variant = spec.detect_variant(file);
  EXPECT_TRUE(check_description(spec.build(options), file).empty());
  for (Json& layer : model["config"]["layers"]) {
    if (layer["class_name"] == "BatchNormalization") layer["config"]["epsilon"] = 0.01;
  }
  WeightFile other = file;
  other.config = model.dump();
  EXPECT_THROW(check_description(spec.build(options), other), Error);
}

INSTANTIATE_TEST_SUITE_P(
    BuiltIn, Applications,
    testing::Values(std::tuple{"k3_MobileNet", "mobilenet",
                               ModelOptions{.alpha = 0.25, .variant = {}, .height = 64, .width = 64}},
                    std::tuple{"k3_ResNet50", "resnet50", ModelOptions{.variant = {}, .height = 48, .width = 48}},
                    std::tuple{"k3_InceptionV3", "inceptionv3", ModelOptions{.variant = {}, .height = 75, .width = 75}},
                    std::tuple{"k3_Xception", "xception", ModelOptions{.variant = {}, .height = 71, .width = 71}}),
    [](const auto& param) { return std::string(std::get<1>(param.param)); });

}  // namespace
}  // namespace gpueval
