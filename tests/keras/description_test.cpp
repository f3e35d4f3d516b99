// SPDX-License-Identifier: Apache-2.0
// Guards the comparison of a file's own description with the network: one setting that differs gives wrong numbers
// without a word, and one that is only written in another way must not be refused.
#include <gtest/gtest.h>

#include "gpueval/error.h"
#include "gpueval/keras.h"
#include "support/toy_weights.h"

namespace gpueval {
namespace {

using test::file_of;
using test::toy;

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
 {"class_name": "Conv2D", "name": "d", "config": {"filters": 4, "kernel_size": [1, 1], "strides": [1, 1],
  "padding": "valid", "activation": "linear", "use_bias": true}, "inbound_nodes": [[["p", 0, 0, {}]]]},
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
 {"class_name": "Convolution2D", "name": "d", "config": {"nb_filter": 4, "nb_row": 1, "nb_col": 1,
  "subsample": [1, 1], "border_mode": "valid", "activation": "linear", "bias": true}, "inbound_nodes": [[["p", 0, 0]]]},
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
 {"class_name": "Conv2D", "name": "c", "config": {"filters": 4, "kernel_size": [3, 3], "strides": [2, 2],
  "padding": "valid", "activation": "linear", "use_bias": false}, "inbound_nodes": )" +
         call("z") + R"(},
 {"class_name": "BatchNormalization", "name": "n", "config": {"axis": -1, "epsilon": 0.0010000000474974513},
  "inbound_nodes": )" +
         call("c") + R"(},
 {"class_name": "Activation", "name": "r", "config": {"activation": {"module": "builtins", "class_name": "function",
  "config": "relu6"}}, "inbound_nodes": )" +
         call("n") + R"(},
 {"class_name": "MaxPooling2D", "name": "p", "config": {"pool_size": [2, 2], "padding": "valid"}, "inbound_nodes": )" +
         call("r") + R"(},
 {"class_name": "Conv2D", "name": "d", "config": {"filters": 4, "kernel_size": 1, "strides": 1}, "inbound_nodes": )" +
         call("p") + R"(},
 {"class_name": "Add", "name": "a", "config": {}, "inbound_nodes": [{"args": [[)" +
         tensor("p") + ", " + tensor("d") + R"(]], "kwargs": {}}]},
 {"class_name": "Activation", "name": "s", "config": {"activation": {"class_name": "ReLU", "config": {"max_value": null}
  }}, "inbound_nodes": )" +
         call("a") + R"(},
 {"class_name": "GlobalAveragePooling2D", "name": "g", "config": {"keepdims": true}, "inbound_nodes": )" +
         call("s") + R"(},
 {"class_name": "Dense", "name": "f", "config": {"units": 2, "activation": "linear"}, "inbound_nodes": )" +
         call("g") + R"(},
 {"class_name": "Softmax", "name": "soft", "config": {}, "inbound_nodes": )" +
         call("f") + R"(}], "input_layers": ["img", 0, 0], "output_layers": ["soft", 0, 0]}})";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string refusal_of(const std::string& json) {
  const Graph graph = toy();
  WeightFile file = file_of(graph);
  file.config = json;
  try {
    check_description(graph, file);
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).rfind("toy.keras", 0), 0u) << error.what();
    return error.what();
  }
  return "no error";
}

TEST(Description, EveryGenerationsSpellingOfTheNetworkIsTheNetwork) {
  EXPECT_EQ(refusal_of(kKeras1), "no error");
  EXPECT_EQ(refusal_of(kKeras2), "no error");
  EXPECT_EQ(refusal_of(keras3()), "no error");
}

TEST(Description, OneSettingThatDiffersIsRefusedWithBothValues) {
  const auto expect = [](const std::string& json, const std::string& part) {
    const std::string message = refusal_of(json);
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
  expect(replaced(kKeras2, "\"strides\": [1, 1],\n  \"padding\": \"valid\"",
                  "\"dilation_rate\": [2, 2], \"strides\": [1, 1],\n  \"padding\": \"valid\""),
         "layer 'd' has dilation 2x2, toy has 1x1");
  expect(replaced(kKeras2, "\"strides\": [1, 1],\n", "\"groups\": 2, \"strides\": [1, 1],\n"),
         "layer 'd' has groups 2, toy has 1");
  change("\"filters\": 4", "\"filters\": 8", "layer 'c' has kernel (3, 3, 3, 8), toy has (3, 3, 3, 4)");
  change("\"units\": 2", "\"units\": 3", "layer 'f' has kernel (4, 3), toy has (4, 2)");
  change("\"epsilon\": 0.001", "\"epsilon\": 0.00001", "layer 'n' has epsilon 1e-05, toy has 0.001");
  change("\"max_value\": 6.0", "\"max_value\": null", "layer 'r' has activation relu, toy has relu6");
  change("\"negative_slope\": 0.0", "\"negative_slope\": 0.1",
         "layer 'r' has activation relu6 with slope 0.1, toy has relu6");
  change("\"activation\": \"relu\"", "\"activation\": \"swish\"", "layer 's' has activation silu, toy has relu");
  change("\"pool_size\": [2, 2]", "\"pool_size\": [3, 3]", "layer 'p' has pool size 3x3, toy has 2x2");
  change("\"padding\": \"valid\", \"strides\": [2, 2]", "\"padding\": \"valid\", \"strides\": [1, 1]",
         "layer 'p' has strides 1x1, toy has 2x2");
  expect(replaced(keras3(), "[[0, 1], [0, 1]]", "[[1, 0], [1, 0]]"), "layer 'c' has padding 1,0,1,0, toy has 0,1,0,1");
}

// Which no built-in network has, so that nothing need be compared.
TEST(Description, SettingsThatAreNotSupported) {
  const auto expect = [](const std::string& json, const std::string& part) {
    const std::string message = refusal_of(json);
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
  };
  const auto change = [&](const std::string& from, const std::string& to, const std::string& part) {
    expect(replaced(kKeras2, from, to), part);
  };
  change("\"dilation_rate\": [1, 1]", "\"dilation_rate\": [2, 2]", "'c' (Conv2D: it has strides and a dilation rate)");
  change("\"groups\": 1", "\"groups\": 3", "'c' (Conv2D: 3 groups of 3 channels and 4 filters)");
  change("\"axis\": [3]", "\"axis\": [2]", "'n' (BatchNormalization: its axis is [2], expected the last)");
  change("[[[\"c\", 0, 0, {}]]]", "[[[\"c\", 0, 0, {\"training\": true}]]]",
         "'n' (BatchNormalization: the model calls it with training=True");
  change("\"data_format\": \"channels_last\"", "\"data_format\": \"channels_first\"",
         "'c' (Conv2D: its data format is channels_first");
  expect(replaced(kKeras1, "\"dim_ordering\": \"tf\"", "\"dim_ordering\": \"th\""),
         "'c' (Conv2D: its data format is channels_first");
  for (const char* mode : {"1", "2"}) {
    expect(replaced(kKeras1, "\"mode\": 0", std::string("\"mode\": ") + mode),
           "'n' (BatchNormalization: it normalises by each");
  }
  expect(replaced(kKeras1, "\"activation\": \"relu6\"", "\"activation\": \"my>relu7\""),
         "'r' (Activation: its activation 'relu7' is not supported)");
}

TEST(Description, OtherOperationsAreNamed) {
  const auto expect = [](const std::string& json, const std::string& part) {
    const std::string message = refusal_of(json);
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
  };
  // No activation in the convolution, as in the network; one in it.
  expect(replaced(kKeras2, "\"activation\": \"linear\"", "\"activation\": \"relu\""),
         "the model has 'c/activation' (relu) where toy has 'c' (Conv2D)");
  expect(replaced(kKeras2, "MaxPooling2D", "AveragePooling2D"),
         "the model has 'p' (AvgPool) where toy has 'p' (MaxPool)");
  expect(replaced(kKeras2, "\"class_name\": \"Add\"", "\"class_name\": \"Maximum\""),
         "the model has 'a' (Binary) where toy has 'a' (Add)");
  expect(replaced(kKeras2, "[[[\"g\", 0, 0, {}]]]", "[[[\"p\", 0, 0, {}]]]"),
         "the model has 'f' (Conv2D) where toy has 'f' (Dense)");
  expect(replaced(kKeras2, "\"activation\": \"softmax\"", "\"activation\": \"sigmoid\""),
         "the model has a sigmoid behind 'f' (Dense) where toy has a softmax");
  // A layer in front of the network changes what it sees.
  expect(replaced(replaced(kKeras2, "[[[\"img\", 0, 0, {}]]]", "[[[\"scale\", 0, 0, {}]]]"),
                  " {\"class_name\": \"Conv2D\", \"name\": \"c\"",
                  " {\"class_name\": \"Rescaling\", \"name\": \"scale\", \"config\": {\"scale\": 0.0039}, "
                  "\"inbound_nodes\": [[[\"img\", 0, 0, {}]]]}, {\"class_name\": \"Conv2D\", \"name\": \"c\""),
         "the model has 'scale' (Affine) where toy has 'input' (Input)");
  // Without the sum, and with the sum of one twice.
  expect(replaced(kKeras2, "[[[\"a\", 0, 0, {}]]]", "[[[\"d\", 0, 0, {}]]]"),
         "the model has 'd' (Conv2D) where toy has 'a' (Add)");
  expect(replaced(kKeras2, "[[[\"d\", 0, 0, {}], [\"p\", 0, 0, {}]]]", "[[[\"d\", 0, 0, {}], [\"d\", 0, 0, {}]]]"),
         "the model has 'd' (Conv2D) where toy has 'p' (MaxPool)");
  expect(replaced(kKeras2, "[[\"f\", 0, 0]]", "[[\"f\", 0, 0], [\"g\", 0, 0]]"), "the model has 2 outputs, toy has 1");
  expect(replaced(kKeras2, "[[[\"o\", 0, 0, {}]]]", "[[[\"absent\", 0, 0, {}]]]"), "model 'toy' has no layer 'absent'");
}

TEST(Description, NestedWrappedAndSubclassed) {
  const auto expect = [](const std::string& json, const std::string& part) {
    const std::string message = refusal_of(json);
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  expect(R"({"class_name": "Sequential", "config": {"name": "outer", "layers": [)" + kKeras2 + "]}}",
         "shape of its input");
  expect(replaced(R"({"class_name": "Sequential", "config": {"name": "outer", "layers": [
          {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [null, 8, 8, 3]}}, )" +
                      kKeras2 + "]}}",
                  "\"name\": \"toy\"", "\"name\": \"base\""),
         "the model has 'base/f' (Dense) where toy has 'f' (Dense) with the weights of 'f'");
  expect(replaced(kKeras2, R"("Conv2D", "name": "d", "config": {)",
                  R"("SpectralNormalization", "name": "d", "config": {"layer": {"class_name": "Conv2D", "config": {
                     "name": "in"}}, )"),
         "'d' (SpectralNormalization: wraps the layer 'in'");
  expect(R"({"class_name": "Net", "config": {}})", "is subclassed (class 'Net')");
}

// Python code and classes of one's own: what is behind them may be anything.
TEST(Description, UnknownLayersBehindTheWeightsAreLeftOut) {
  const std::string lambda = R"({"class_name": "Lambda", "name": "lam", "config": {}, "inbound_nodes": )";
  const std::string last =
      replaced(replaced(kKeras2, "\"activation\": \"softmax\"", "\"activation\": \"linear\""), "[[[\"o\", 0, 0, {}]]]}",
               "[[[\"o\", 0, 0, {}]]]}, " + lambda + R"([[["f", 0, 0, {}]]]})");
  const std::string behind = replaced(last, R"("output_layers": [["f")", R"("output_layers": [["lam")");
  const Graph graph = toy();
  WeightFile file = file_of(graph);
  file.config = behind;
  const std::vector<std::string> notes = check_description(graph, file);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("'lam' (Lambda: Python code, which is not run"), std::string::npos) << notes[0];
  EXPECT_NE(refusal_of(replaced(behind, "\"epsilon\": 0.001", "\"epsilon\": 0.01")).find("layer 'n' has epsilon 0.01"),
            std::string::npos);
  const std::string front = replaced(replaced(kKeras2, "[[[\"img\", 0, 0, {}]]]", "[[[\"lam\", 0, 0, {}]]]"),
                                     " {\"class_name\": \"Conv2D\", \"name\": \"c\"",
                                     lambda + R"([[["img", 0, 0, {}]]]}, {"class_name": "Conv2D", "name": "c")");
  EXPECT_NE(refusal_of(front).find("what layer 'c' computes depends on what is not known: 'lam' (Lambda"),
            std::string::npos)
      << refusal_of(front);
}

TEST(Description, AnotherSizeOfTheInputIsItsHeightAndWidth) {
  const Graph graph = toy();
  WeightFile file = file_of(graph);
  file.config = replaced(kKeras2, "8, 8, 3", "16, 24, 3");
  EXPECT_TRUE(check_description(graph, file, true).empty());
  EXPECT_THROW(check_description(graph, file), Error);
  file.config = replaced(kKeras2, "8, 8, 3", "null, null, 3");
  EXPECT_TRUE(check_description(graph, file).empty());
  file.config = replaced(kKeras2, "8, 8, 3", "16, 24, 1");
  EXPECT_THROW(check_description(graph, file, true), Error);
}

// A description may lead in a circle, or say anything at all.
TEST(Description, HostileDescriptionsEnd) {
  EXPECT_NE(refusal_of(replaced(kKeras2, "[[[\"g\", 0, 0, {}]]]", "[[[\"o\", 0, 0, {}]]]")), "no error");
  EXPECT_NE(refusal_of(replaced(kKeras2, "[[[\"img\", 0, 0, {}]]]", "[[[\"f\", 0, 0, {}]]]")), "no error");
  // A function of constants alone.
  const std::string constants =
      replaced(replaced(kKeras2, R"("class_name": "Add", "name": "a", "config": {})",
                        R"("class_name": "TFOpLambda", "name": "a", "config": {"function": "math.divide"})"),
               R"([[["d", 0, 0, {}], ["p", 0, 0, {}]]])", R"([["_CONSTANT_VALUE", -1, 3.0, {"y": 2.0}]])");
  EXPECT_NE(refusal_of(constants).find("'a' (TFOpLambda: it is called with no tensor)"), std::string::npos)
      << refusal_of(constants);
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
      refusal_of(replaced(kKeras2, text, changed));  // an Error about the file or none, nothing else
    }
  }
}

}  // namespace
}  // namespace gpueval
