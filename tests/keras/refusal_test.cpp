// SPDX-License-Identifier: Apache-2.0
// The sentence that names what a network has and this program has not.
#include <gtest/gtest.h>

#include "gpueval/error.h"
#include "keras/importer.h"

namespace gpueval {
namespace {

// A chain of layers of these classes, "l0", "l1", ...; extra: more of each layer's description.
std::string chain(const std::vector<std::string>& classes, const std::string& extra = "") {
  std::string layers = R"({"class_name": "InputLayer", "name": "x", "config": {"batch_input_shape": [null, 4, 4, 2]},
 "inbound_nodes": []})";
  std::string last = "x";
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const std::string name = "l" + std::to_string(i);
    layers += R"(, {"class_name": ")" + classes[i] + R"(", "name": ")" + name + R"(", "config": {"trainable": true})" +
              extra + R"(, "inbound_nodes": [[[")" + last + R"(", 0, 0, {}]]]})";
    last = name;
  }
  return R"({"class_name": "Functional", "config": {"name": "toy", "layers": [)" + layers +
         R"(], "input_layers": [["x", 0, 0]], "output_layers": [[")" + last + R"(", 0, 0]]}})";
}

std::string refusal_of_chain(const std::vector<std::string>& classes, const std::string& extra = "") {
  KerasFile file;
  file.path = "net.h5";
  file.keras_version = "2.15.0";
  file.config = chain(classes, extra);
  try {
    keras::import_file(file, {});
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(KerasRefusal, LayersOfOneClassAreNamedTogether) {
  const std::string listed = "this class is not supported; `gpu_eval list layers` has those that are)";
  EXPECT_EQ(refusal_of_chain({"Snake"}), "net.h5: 1 of its layers is not supported: 'l0' (Snake: " + listed);
  EXPECT_EQ(
      refusal_of_chain({"Snake", "ReLU", "Whirl", "Snake", "Snake"}),
      "net.h5: 4 of its layers are not supported: 'l0', 'l3', 'l4' (Snake: " + listed + "; 'l2' (Whirl: " + listed);
  EXPECT_EQ(refusal_of_chain({"Snake", "Snake", "Snake", "Snake", "Snake", "Snake"}),
            "net.h5: 6 of its layers are not supported: 'l0', 'l1', 'l2' and 3 more (Snake: " + listed);
}

// ".keras" files say the module, ".h5" files the package of a class that was registered.
TEST(KerasRefusal, ClassesOfPackagesAreKnownFromKerassOwn) {
  const std::string own = "a class of its own, whose Python code is not in the file";
  const std::string listed = "this class is not supported";
  const auto expect = [](const std::string& message, const std::string& part) {
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
  };
  expect(refusal_of_chain({"keras_hub>Block"}), "(Block: " + own);
  expect(refusal_of_chain({"Block"}, R"(, "module": "keras_hub.src.models")"), "(Block: " + own);
  expect(refusal_of_chain({"Block"}, R"(, "module": "my_layers")"), "(Block: " + own);
  expect(refusal_of_chain({"Attention"}, R"(, "module": "keras.layers")"), "(Attention: " + listed);
  expect(refusal_of_chain({"Attention"}), "(Attention: " + listed);
}

// Keras counts a model's own input as its first call, and the class of a model may be one's own.
TEST(KerasRefusal, ModelsOfOwnClassesThatAreNamedByTheirSecondCall) {
  std::string config = chain({"my>Backbone"});
  config.replace(config.rfind("\"l0\", 0, 0"), 10, "\"l0\", 1, 0");
  KerasFile file;
  file.path = "net.h5";
  file.config = config;
  try {
    keras::import_file(file, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'l0' (Backbone: a class of its own"), std::string::npos) << error.what();
  }
}

// A class may name its arrays in an archive as it likes; Keras's own number them.
TEST(KerasRefusal, ArraysThatAClassNamesItself) {
  const auto refusal_with = [](const std::string& kind, const std::string& group) {
    KerasFile file;
    file.path = "net.keras";
    file.keras_version = "3.9.0";
    file.archive = true;
    file.config = chain({kind});
    file.groups.push_back({.path = "layers/" + group, .name = "", .arrays = {}, .own_names = true});
    try {
      keras::import_file(file, {});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(refusal_with("my>Position", "position").find("net.keras: 1 of its layers is not supported: 'l0'"), 0u);
  EXPECT_EQ(refusal_with("LeakyReLU", "leaky_re_lu"),
            "net.keras: 'layers/leaky_re_lu/vars' should hold weights numbered 0, 1, ...; the file is damaged");
}

// A description without its weights, which is what a built-in network is compared with.
TEST(KerasRefusal, NoNumbersAreLookedAtWithoutWeights) {
  for (const char* kind : {"BiasLayer", "ChannelAffine", "ZeroInitGain", "LearnableAffine", "LayerScale"}) {
    KerasFile file;
    file.path = "net.h5";
    file.config = chain({kind, kind, "ReLU", kind});
    EXPECT_EQ(keras::import_file(file, {.input = {}, .weights = false}).graph.nodes.size(), 5u) << kind;
  }
}

// What no tensor of the graph is has few readers, and is no output.
TEST(KerasRefusal, ShapesAndInfinitePaddingAsTensors) {
  const auto layer = [](const std::string& name, const std::string& kind, const std::string& config,
                        const std::string& from, const std::string& options) {
    return R"(, {"class_name": ")" + kind + R"(", "name": ")" + name + R"(", "config": {)" + config +
           R"(}, "inbound_nodes": [[")" + from + R"(", 0, 0, )" + options + "]]}";
  };
  const std::string pad = layer("pad", "TFOpLambda", R"("function": "pad")", "x",
                                R"({"paddings": [[0, 0], [1, 2], [0, 0], [0, 0]], "constant_values": -Infinity})");
  const std::string shape = layer("shape", "TFOpLambda", R"("function": "shape")", "x", "{}");
  const auto refusal_with = [](const std::string& layers, const std::string& output) {
    KerasFile file;
    file.path = "net.h5";
    file.keras_version = "2.15.0";
    file.config = R"({"class_name": "Functional", "config": {"name": "toy", "layers": [
 {"class_name": "InputLayer", "name": "x", "config": {"batch_input_shape": [null, 4, 4, 2]}, "inbound_nodes": []})" +
                  layers + R"(], "input_layers": [["x", 0, 0]], "output_layers": [[")" + output + R"(", 0, 0]]}})";
    try {
      keras::import_file(file, {});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const auto pool = [](int size) {
    const std::string two = "[" + std::to_string(size) + ", 2]";
    return R"("pool_size": )" + two + R"(, "strides": [1, 1], "padding": "valid")";
  };
  EXPECT_EQ(refusal_with(pad + layer("max", "MaxPooling2D", pool(3), "pad", "{}"), "max"), "no error");
  const auto expect = [&](const std::string& layers, const std::string& output, const std::string& part) {
    const std::string message = refusal_with(layers, output);
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
  };
  expect(pad + layer("max", "MaxPooling2D", pool(2), "pad", "{}"), "max", "a whole window lies in the padding");
  expect(pad + layer("mean", "AveragePooling2D", pool(3), "pad", "{}"), "mean", "it reads a padding of -infinity");
  expect(pad, "pad", "an output is padded with -infinity");
  expect(shape, "shape", "an output is the shape of a tensor");
  expect(shape + layer("exp", "TFOpLambda", R"("function": "math.exp")", "shape", "{}"), "exp",
         "it computes with the shape of a tensor");
}

}  // namespace
}  // namespace gpueval
