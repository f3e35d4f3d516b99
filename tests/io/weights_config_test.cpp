// SPDX-License-Identifier: Apache-2.0
// Guards the comparison of a file's own description with the network: one setting that differs gives wrong numbers
// without a word, and one that is only written in another way must not be refused.
#include <gtest/gtest.h>

#include "gpueval/error.h"
#include "gpueval/weights.h"
#include "io/weights/model_config.h"

namespace gpueval {
namespace {

// Something of everything: SAME padding at a stride, two activations, a pool, an addition, a head.
Graph toy() {
  GraphBuilder g("toy");
  int x = g.conv2d("c", g.input(8, 8, 3), 4, 3, 3, {.stride = 2, .pad = Pad::kSame, .bias = false});
  x = g.relu6("r", g.batch_norm("n", x));
  const int pool = g.max_pool("p", x, 2, 2);
  x = g.relu("s", g.add("a", {pool, g.conv2d("d", pool, 4, 1, 1, {})}));
  return g.finish(g.dense("f", g.global_avg_pool("g", x), 2));
}

WeightFile file_of(const Graph& graph) {
  WeightFile file{.path = "toy.keras", .sha256 = {}, .format = "keras3-archive"};
  for (const Node& node : graph.nodes) {
    if (node.params.empty()) continue;
    WeightLayer layer{.name = node.name};
    for (const Param& param : node.params) {
      Array array{param.array.shape, nullptr};
      array.data = std::make_shared<const std::vector<float>>(static_cast<std::size_t>(array.elements()), 0.5f);
      layer.arrays.push_back({to_string(param.role), array});
    }
    file.layers.push_back(std::move(layer));
  }
  return file;
}

// Keras 2 as tf-keras writes it, less what nobody asks for.
const std::string kKeras2 = R"({"class_name": "Functional", "config": {"name": "toy", "layers": [
 {"class_name": "InputLayer", "name": "img", "config": {"batch_input_shape": [null, 8, 8, 3]}, "inbound_nodes": []},
 {"class_name": "Conv2D", "name": "c", "config": {"name": "c", "filters": 4, "kernel_size": [3, 3], "strides": [2, 2],
  "padding": "same", "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1, "activation": "linear",
  "use_bias": false}, "inbound_nodes": [[["img", 0, 0, {}]]]},
 {"class_name": "BatchNormalization", "name": "n", "config": {"axis": [3], "momentum": 0.9, "epsilon": 0.001,
  "center": true, "scale": true}, "inbound_nodes": [[["c", 0, 0, {}]]]},
 {"class_name": "ReLU", "name": "r", "config": {"max_value": 6.0, "negative_slope": 0.0, "threshold": 0.0},
  "inbound_nodes": [[["n", 0, 0, {}]]]},
 {"class_name": "MaxPooling2D", "name": "p", "config": {"pool_size": [2, 2], "padding": "valid", "strides": [2, 2],
  "data_format": "channels_last"}, "inbound_nodes": [[["r", 0, 0, {}]]]},
 {"class_name": "Conv2D", "name": "d", "config": {"kernel_size": [1, 1], "strides": [1, 1], "padding": "valid",
  "activation": "linear", "use_bias": true}, "inbound_nodes": [[["p", 0, 0, {}]]]},
 {"class_name": "Add", "name": "a", "config": {}, "inbound_nodes": [[["d", 0, 0, {}], ["p", 0, 0, {}]]]},
 {"class_name": "Activation", "name": "s", "config": {"activation": "relu"}, "inbound_nodes": [[["a", 0, 0, {}]]]},
 {"class_name": "GlobalAveragePooling2D", "name": "g", "config": {}, "inbound_nodes": [[["s", 0, 0, {}]]]},
 {"class_name": "Dropout", "name": "o", "config": {"rate": 0.5}, "inbound_nodes": [[["g", 0, 0, {}]]]},
 {"class_name": "Dense", "name": "f", "config": {"units": 2, "activation": "softmax", "use_bias": true},
  "inbound_nodes": [[["o", 0, 0, {}]]]}],
 "input_layers": [["img", 0, 0]], "output_layers": [["f", 0, 0]]}})";

const std::string kKeras1 = R"({"class_name": "Model", "config": {"name": "toy", "layers": [
 {"class_name": "InputLayer", "name": "img", "config": {"batch_input_shape": [null, 8, 8, 3]}, "inbound_nodes": []},
 {"class_name": "Convolution2D", "name": "c", "config": {"nb_filter": 4, "nb_row": 3, "nb_col": 3, "subsample": [2, 2],
  "border_mode": "same", "dim_ordering": "tf", "activation": "linear", "bias": false},
  "inbound_nodes": [[["img", 0, 0]]]},
 {"class_name": "BatchNormalization", "name": "n", "config": {"axis": -1, "mode": 0, "epsilon": 0.001},
  "inbound_nodes": [[["c", 0, 0]]]},
 {"class_name": "Activation", "name": "r", "config": {"activation": "relu6"}, "inbound_nodes": [[["n", 0, 0]]]},
 {"class_name": "MaxPooling2D", "name": "p", "config": {"pool_size": [2, 2], "border_mode": "valid", "strides": [2, 2],
  "dim_ordering": "tf"}, "inbound_nodes": [[["r", 0, 0]]]},
 {"class_name": "Convolution2D", "name": "d", "config": {"nb_row": 1, "nb_col": 1, "subsample": [1, 1],
  "border_mode": "valid", "activation": "linear", "bias": true}, "inbound_nodes": [[["p", 0, 0]]]},
 {"class_name": "Merge", "name": "a", "config": {"mode": "sum", "concat_axis": -1},
  "inbound_nodes": [[["p", 0, 0], ["d", 0, 0]]]},
 {"class_name": "Activation", "name": "s", "config": {"activation": "relu"}, "inbound_nodes": [[["a", 0, 0]]]},
 {"class_name": "AveragePooling2D", "name": "g", "config": {"pool_size": [2, 2], "strides": [2, 2],
  "border_mode": "valid"}, "inbound_nodes": [[["s", 0, 0]]]},
 {"class_name": "Flatten", "name": "o", "config": {}, "inbound_nodes": [[["g", 0, 0]]]},
 {"class_name": "Dense", "name": "f", "config": {"output_dim": 2, "activation": "softmax", "bias": true},
  "inbound_nodes": [[["o", 0, 0]]]}],
 "input_layers": [["img", 0, 0]], "output_layers": [["f", 0, 0]]}})";

// A tensor of Keras 3 that layer `from` made.
std::string tensor(const std::string& from) {
  return R"({"class_name": "__keras_tensor__", "config": {"shape": [null, 1], "keras_history": [")" + from +
         R"(", 0, 0]}})";
}
std::string call(const std::string& from) { return R"([{"args": [)" + tensor(from) + R"(], "kwargs": {}}])"; }

std::string keras3() {
  return R"({"module": "keras.src.models.functional", "class_name": "Functional", "config": {"name": "toy", "layers": [
 {"class_name": "InputLayer", "name": "img", "config": {"batch_shape": [null, 8, 8, 3]}, "inbound_nodes": []},
 {"class_name": "ZeroPadding2D", "name": "z", "config": {"padding": [[0, 1], [0, 1]]}, "inbound_nodes": )" +
         call("img") + R"(},
 {"class_name": "Conv2D", "name": "c", "config": {"kernel_size": [3, 3], "strides": [2, 2], "padding": "valid",
  "activation": "linear", "use_bias": false}, "inbound_nodes": )" +
         call("z") + R"(},
 {"class_name": "BatchNormalization", "name": "n", "config": {"axis": -1, "epsilon": 0.0010000000474974513},
  "inbound_nodes": )" +
         call("c") + R"(},
 {"class_name": "Activation", "name": "r", "config": {"activation": {"module": "builtins", "class_name": "function",
  "config": "relu6"}}, "inbound_nodes": )" +
         call("n") + R"(},
 {"class_name": "MaxPooling2D", "name": "p", "config": {"pool_size": [2, 2], "padding": "valid"}, "inbound_nodes": )" +
         call("r") + R"(},
 {"class_name": "Conv2D", "name": "d", "config": {"strides": 1}, "inbound_nodes": )" +
         call("p") + R"(},
 {"class_name": "Add", "name": "a", "config": {}, "inbound_nodes": [{"args": [[)" +
         tensor("p") + ", " + tensor("d") + R"(]], "kwargs": {}}]},
 {"class_name": "Activation", "name": "s", "config": {"activation": {"class_name": "ReLU", "config": {"max_value": null}
  }}, "inbound_nodes": )" +
         call("a") + R"(},
 {"class_name": "GlobalAveragePooling2D", "name": "g", "config": {"keepdims": true}, "inbound_nodes": )" +
         call("s") + R"(},
 {"class_name": "Dense", "name": "f", "config": {"activation": "linear"}, "inbound_nodes": )" +
         call("g") + R"(},
 {"class_name": "Softmax", "name": "soft", "config": {}, "inbound_nodes": )" +
         call("f") + R"(}], "input_layers": ["img", 0, 0], "output_layers": ["soft", 0, 0]}})";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string bind_error(const std::string& json, const std::string& backend = "") {
  const Graph graph = toy();
  WeightFile file = file_of(graph);
  file.backend = backend;
  try {
    read_model_config(json, file);
    bind_weights(graph, file);
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).rfind("toy.keras", 0), 0u) << error.what();
    return error.what();
  }
  return "no error";
}

TEST(ModelConfig, EveryGenerationsSpellingOfTheNetworkIsTheNetwork) {
  EXPECT_EQ(bind_error(kKeras1), "no error");
  EXPECT_EQ(bind_error(kKeras2), "no error");
  EXPECT_EQ(bind_error(keras3()), "no error");
}

TEST(ModelConfig, OneSettingThatDiffersIsRefusedWithBothValues) {
  const auto expect = [](const std::string& json, const std::string& part) {
    const std::string message = bind_error(json);
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
    EXPECT_NE(message.find("the file describes another network"), std::string::npos) << message;
  };
  const auto change = [&](const std::string& from, const std::string& to, const std::string& part) {
    expect(replaced(kKeras2, from, to), part);
  };
  change("8, 8, 3", "16, 16, 3", "layer 'img' has input shape 16x16x3, toy has 8x8x3");
  change("8, 8, 3", "8, 16, 3", "layer 'img' has input shape 8x16x3, toy has 8x8x3");
  change("\"strides\": [2, 2]", "\"strides\": [1, 1]", "layer 'c' has strides 1x1, toy has 2x2");
  change("\"padding\": \"same\"", "\"padding\": \"valid\"", "layer 'c' has padding 0,0,0,0, toy has 0,1,0,1");
  change("\"dilation_rate\": [1, 1]", "\"dilation_rate\": [2, 2]", "layer 'c' has dilation 2x2, toy has 1x1");
  change("\"groups\": 1", "\"groups\": 3", "layer 'c' has groups 3, toy has 1");
  change("\"epsilon\": 0.001", "\"epsilon\": 0.00001", "layer 'n' has epsilon 1e-05, toy has 0.001");
  change("\"axis\": [3]", "\"axis\": [2]", "layer 'n' has axis 2, toy has 3");
  change("\"max_value\": 6.0", "\"max_value\": null", "layer 'r' has activation relu, toy has relu6");
  change("\"negative_slope\": 0.0", "\"negative_slope\": 0.1", "layer 'r' has activation relu6 with slope 0.1 below 0");
  change("\"activation\": \"relu\"", "\"activation\": \"swish\"", "layer 's' has activation silu, toy has relu");
  change("\"pool_size\": [2, 2]", "\"pool_size\": [3, 3]", "layer 'p' has pool size 3x3, toy has 2x2");
  change("\"padding\": \"valid\", \"strides\": [2, 2]", "\"padding\": \"valid\", \"strides\": [1, 1]",
         "layer 'p' has strides 1x1, toy has 2x2");
  change("[[[\"c\", 0, 0, {}]]]", "[[[\"c\", 0, 0, {\"training\": true}]]]",
         "layer 'n' has training true, toy has false");
  expect(replaced(kKeras1, "\"mode\": 0", "\"mode\": 1"), "layer 'n' has mode 1, toy has 0");
  expect(replaced(kKeras1, "\"activation\": \"relu6\"", "\"activation\": \"my>relu7\""),
         "layer 'r' has activation relu7, toy has relu6");
  expect(replaced(keras3(), "[[0, 1], [0, 1]]", "[[1, 0], [1, 0]]"), "layer 'c' has padding 1,0,1,0, toy has 0,1,0,1");
}

TEST(ModelConfig, OtherOperationsAreNamed) {
  const auto expect = [](const std::string& json, const std::string& part) {
    const std::string message = bind_error(json);
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
  };
  // No activation in the convolution, as in the network; one in it.
  expect(replaced(kKeras2, "\"activation\": \"linear\"", "\"activation\": \"relu\""),
         "the model has 'c' (relu) where toy has 'c' (Conv2D)");
  expect(replaced(kKeras2, "MaxPooling2D", "AveragePooling2D"),
         "the model has 'p' (AveragePooling2D) where toy has 'p' (MaxPool)");
  expect(replaced(kKeras2, "\"class_name\": \"Add\"", "\"class_name\": \"Maximum\""),
         "the model has 'a' (Maximum) where toy has 'a' (Add)");
  expect(replaced(kKeras2, "[[[\"g\", 0, 0, {}]]]", "[[[\"p\", 0, 0, {}]]]"),
         "the model has 'p' (MaxPooling2D) where toy has 'g' (GlobalAvgPool)");
  expect(replaced(kKeras2, "\"activation\": \"softmax\"", "\"activation\": \"sigmoid\""),
         "the model has 'f' (sigmoid) where toy has 'f' (Dense)");
  // A layer in front of the network changes what it sees.
  expect(replaced(replaced(kKeras2, "[[[\"img\", 0, 0, {}]]]", "[[[\"scale\", 0, 0, {}]]]"),
                  " {\"class_name\": \"Conv2D\", \"name\": \"c\"",
                  " {\"class_name\": \"Rescaling\", \"name\": \"scale\", \"config\": {\"scale\": 0.0039}, "
                  "\"inbound_nodes\": [[[\"img\", 0, 0, {}]]]}, {\"class_name\": \"Conv2D\", \"name\": \"c\""),
         "the model has 'scale' (Rescaling) where toy has 'input' (Input)");
  expect(replaced(kKeras2, "\"data_format\": \"channels_last\"", "\"data_format\": \"channels_first\""),
         "layer 'c' has its channels first");
  expect(replaced(kKeras1, "\"dim_ordering\": \"tf\"", "\"dim_ordering\": \"th\""), "layer 'c' has its channels first");
  expect(replaced(kKeras2, "[[[\"r\", 0, 0, {}]]]", "[[[\"r\", 0, 0, {}]], [[\"n\", 0, 0, {}]]]"),
         "layer 'p' is called 2 times");
  expect(replaced(kKeras2, "[[\"f\", 0, 0]]", "[[\"f\", 0, 0], [\"g\", 0, 0]]"), "its model has 2 outputs");
  expect(replaced(kKeras2, "[[[\"o\", 0, 0, {}]]]", "[[[\"absent\", 0, 0, {}]]]"), "layer 'f' reads 'absent'");
}

TEST(ModelConfig, NestedWrappedAndSubclassed) {
  const auto expect = [](const std::string& json, const std::string& part) {
    const std::string message = bind_error(json);
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  const std::string inner = R"({"class_name": "Functional", "name": "base", "config": {"layers": [
    {"class_name": "Conv2D", "config": {"name": "c"}}]}, "inbound_nodes": []})";
  expect(R"({"class_name": "Sequential", "config": {"layers": [)" + inner + "]}}",
         "'base' (Functional) is a model nested in another");
  expect(R"({"class_name": "Sequential", "config": [)" + inner + "]}", "'base' (Functional) is a model nested");
  expect(R"({"class_name": "Sequential", "config": [{"class_name": "TimeDistributed", "config": {"name": "t",
             "layer": {"class_name": "Dense", "config": {"name": "d"}}}}]})",
         "'t' (TimeDistributed) wraps another layer");
  expect(R"({"class_name": "Net", "config": {}})", "its model is subclassed (class 'Net')");
}

// A description may lead in a circle, or say anything at all.
TEST(ModelConfig, HostileDescriptionsEnd) {
  EXPECT_NE(bind_error(replaced(kKeras2, "[[[\"g\", 0, 0, {}]]]", "[[[\"o\", 0, 0, {}]]]")), "no error");
  EXPECT_NE(bind_error(replaced(kKeras2, "[[[\"img\", 0, 0, {}]]]", "[[[\"f\", 0, 0, {}]]]")), "no error");
  for (const char* value : {"7", "null", "[]", "{}", "\"x\"", "[[[[]]]]", "-1e999"}) {
    for (const char* key : {"\"layers\": [", "\"batch_input_shape\": [null, 8, 8, 3]", "\"kernel_size\": [3, 3]",
                            "\"strides\": [2, 2]", "\"padding\": \"same\"", "\"epsilon\": 0.001", "\"axis\": [3]",
                            "\"max_value\": 6.0", "\"activation\": \"relu\"", "[[[\"p\", 0, 0, {}]]]",
                            "\"output_layers\": [[\"f\", 0, 0]]", "\"name\": \"c\""}) {
      const std::string text = key;
      const std::size_t colon = text.find(": ");
      const std::string changed = text.ends_with(": [")
                                      ? text + value + ", "
                                      : (colon == std::string::npos ? value : text.substr(0, colon + 2) + value);
      bind_error(replaced(kKeras2, text, changed));  // an Error about the file or none, nothing else
    }
  }
}

TEST(ModelConfig, BackendsWhoseKernelsAreTurned) {
  EXPECT_NE(bind_error("{}", "theano").find("the file says backend theano"), std::string::npos);
  for (const char* backend : {"", "tensorflow", "jax", "torch", "cntk"})
    EXPECT_EQ(bind_error("{}", backend), "no error");
}

// tf-keras archives number their groups and name nothing.
TEST(ModelConfig, NamesTheGroupsOfAnArchive) {
  WeightFile file{.path = "toy.keras"};
  read_model_config(kKeras2, file);
  for (const char* group : {"conv2d", "conv2d_1", "batch_normalization", "dense", "re_lu", "conv2d_2"}) {
    file.layers.push_back({.name = "", .group = group, .arrays = {}});
  }
  name_layers_by_config(file);
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
