// SPDX-License-Identifier: Apache-2.0
// Lambdas that are known by their module and arguments, from descriptions as tf-keras writes them; all others are
// refused.
#include <gtest/gtest.h>

#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "keras/importer.h"

namespace gpueval {
namespace {

const std::string kCommonBlocks = "classification_models.models._common_blocks";
const std::string kPooled = R"([["p", 0, 0, {}]])", kPicture = R"([["x", 0, 0, {}]])";

// x, its means, and a Lambda of what `from` says.
KerasNetwork with_lambda(const std::string& module, const std::string& arguments, const std::string& from) {
  KerasFile file;
  file.path = "unet.h5";
  file.keras_version = "2.15.0";
  file.config = R"({"class_name": "Functional", "config": {"name": "toy", "layers": [
 {"class_name": "InputLayer", "name": "x", "config": {"batch_input_shape": [null, 1, 2, 3]}, "inbound_nodes": []},
 {"class_name": "GlobalAveragePooling2D", "name": "p", "config": {}, "inbound_nodes": [[["x", 0, 0, {}]]]},
 {"class_name": "Lambda", "name": "l", "config": {"function": ["4wE=", null, null], "function_type": "lambda",
  "module": ")" +
                module + R"(", "arguments": )" + arguments + R"(}, "inbound_nodes": [)" + from + R"(]}],
 "input_layers": [["x", 0, 0]], "output_layers": [["l", 0, 0]]}})";
  return keras::import_file(file, {});
}

void expect_lambda(const std::string& module, const std::string& arguments, const std::string& from,
                   const std::vector<int>& shape, const std::vector<float>& values) {
  const KerasNetwork network = with_lambda(module, arguments, from);
  EXPECT_EQ(network.shapes.at(0), shape) << arguments;
  ASSERT_EQ(network.notes.size(), 1u) << arguments;
  EXPECT_NE(network.notes[0].find(module), std::string::npos) << network.notes[0];
  const auto engine = make_engine("cpu", lower_float(network.graph), {.batch = 1});
  OutputBuffers outputs(network.graph, 1);
  engine->run(std::vector<float>{1, 2, 3, 5, 8, 13}, 1, outputs);
  EXPECT_EQ(std::vector<float>(outputs[0].begin(), outputs[0].end()), values) << arguments;
}

std::string lambda_refusal(const std::string& module, const std::string& arguments, const std::string& from) {
  try {
    with_lambda(module, arguments, from);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(KerasLambda, OfKnownModulesIsWhatTheyDo) {
  expect_lambda(kCommonBlocks, R"({"channels_axis": 3})", kPooled, {1, 1, 3}, {3, 5, 8});
  expect_lambda(kCommonBlocks, R"({"start": 1, "stop": 3, "axis": 3})", kPicture, {1, 2, 2}, {2, 3, 8, 13});
  for (const char* module : {"segmentation_models.backbones.inception_resnet_v2",
                             "tensorflow.python.keras.applications.inception_resnet_v2"}) {
    expect_lambda(module, R"({"scale": 0.5})", R"([["x", 0, 0, {}], ["x", 0, 0, {}]])", {1, 2, 3},
                  {1.5, 3, 4.5, 7.5, 12, 19.5});
  }
}

TEST(KerasLambda, OthersAreRefused) {
  const std::string python = "unet.h5: 1 of its layers is not supported: 'l' (Lambda: Python code, which is not run";
  EXPECT_EQ(lambda_refusal(kCommonBlocks, R"({"channels_axis": 3, "more": 1})", kPooled).find(python), 0u);
  EXPECT_EQ(lambda_refusal(kCommonBlocks, "{}", kPooled).find(python), 0u);
  EXPECT_EQ(lambda_refusal("my_blocks", R"({"channels_axis": 3})", kPooled).find(python), 0u);
  EXPECT_EQ(lambda_refusal("my_blocks", R"({"scale": 3})", kPicture).find(python), 0u);
  const auto expect = [](const std::string& message, const std::string& part) {
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
  };
  KerasFile own;  // a class that is named like what a Lambda becomes
  own.path = "unet.h5";
  own.config = R"({"class_name": "Sequential", "config": [{"class_name": "LambdaSlice", "config":
 {"name": "l", "batch_input_shape": [null, 1, 2, 3]}}]})";
  EXPECT_THROW(keras::import_file(own, {}), Error);
  expect(lambda_refusal(kCommonBlocks, R"({"channels_axis": 1})", kPooled), "its channels are at axis 1");
  expect(lambda_refusal(kCommonBlocks, R"({"start": 1, "stop": 4, "axis": 3})", kPicture), "channels 1 to 4 of 3");
}

}  // namespace
}  // namespace gpueval
