// SPDX-License-Identifier: Apache-2.0
// Keras 1's Merge, from descriptions as Keras 1.2 wrote them.
#include <gtest/gtest.h>

#include <algorithm>

#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "keras/importer.h"

namespace gpueval {
namespace {

// relu(x), x and relu(x), merged; settings: of the Merge.
std::string description(const std::string& settings) {
  return R"({"class_name": "Model", "config": {"name": "toy", "layers": [
 {"class_name": "InputLayer", "name": "x", "config": {"batch_input_shape": [null, 1, 2, 2], "name": "x"},
  "inbound_nodes": []},
 {"class_name": "Activation", "name": "r", "config": {"activation": "relu", "name": "r"},
  "inbound_nodes": [[["x", 0, 0]]]},
 {"class_name": "Merge", "name": "m", "config": {"name": "m", "dot_axes": -1, "output_mask": null,
  "output_shape": null, "arguments": {}, )" +
         settings + R"(}, "inbound_nodes": [[["r", 0, 0], ["x", 0, 0], ["r", 0, 0]]]}],
 "input_layers": [["x", 0, 0]], "output_layers": [["m", 0, 0]]}})";
}

KerasNetwork import(const std::string& config) {
  KerasFile file;
  file.path = "old.h5";
  file.keras_version = "1.2.2";
  file.config = config;
  return keras::import_file(file, {});
}

std::vector<float> outputs_of(const std::string& settings, const std::vector<float>& x) {
  const KerasNetwork network = import(description(settings));
  const auto engine = make_engine("cpu", lower_float(network.graph), {.batch = 1});
  OutputBuffers outputs(network.graph, 1);
  engine->run(x, 1, outputs);
  return {outputs[0].begin(), outputs[0].end()};
}

std::string refusal(const std::string& config) {
  try {
    import(config);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(KerasMerge, EveryModeThatIsAnOperation) {
  const std::vector<float> x{-1, 2, 3, -4}, r{0, 2, 3, 0};
  const auto each = [&](float (*f)(float, float)) {
    std::vector<float> y(4);
    std::transform(x.begin(), x.end(), r.begin(), y.begin(), f);
    return y;
  };
  EXPECT_EQ(outputs_of(R"("mode": "sum", "mode_type": "raw")", x), each([](float a, float b) { return a + 2 * b; }));
  EXPECT_EQ(outputs_of(R"("mode": "mul", "mode_type": "raw")", x), each([](float a, float b) { return a * b * b; }));
  EXPECT_EQ(outputs_of(R"("mode": "max")", x), r);
  const std::vector<float> mean = outputs_of(R"("mode": "ave", "mode_type": "raw")", x);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(mean[i], (x[i] + 2 * r[i]) / 3);
  EXPECT_EQ(outputs_of(R"("concat_axis": -1, "mode": "concat", "mode_type": "raw")", x),
            (std::vector<float>{0, 2, -1, 2, 0, 2, 3, 0, 3, -4, 3, 0}));
  EXPECT_EQ(outputs_of(R"("concat_axis": 2, "mode": "concat")", x),
            (std::vector<float>{0, 2, 3, 0, -1, 2, 3, -4, 0, 2, 3, 0}));
}

TEST(KerasMerge, OthersAreRefusedInOneSentence) {
  EXPECT_EQ(refusal(description(R"("mode": "dot", "mode_type": "raw")")),
            "old.h5: 1 of its layers is not supported: 'm' (Merge of mode dot: this mode is not supported; sum, mul, "
            "concat, ave and max are)");
  EXPECT_NE(refusal(description(R"("mode": "cos", "mode_type": "raw")")).find("Merge of mode cos"), std::string::npos);
  const std::string python = "'m' (Merge of mode lambda: its mode is Python code, which is not run";
  EXPECT_NE(refusal(description(R"("mode": ["4wE=", null, null], "mode_type": "lambda")")).find(python),
            std::string::npos);
  EXPECT_NE(refusal(description(R"("mode": "sum", "mode_type": "function")")).find(python), std::string::npos);
}

// What a Sequential of Keras 1 with two branches begins with.
TEST(KerasMerge, OfModelsIsNoChainOfThem) {
  const std::string branch = R"({"class_name": "Sequential", "config": [{"class_name": "Activation", "config":
 {"activation": "relu", "name": "a", "batch_input_shape": [null, 1, 2, 2]}}]})";
  const std::string config = R"({"class_name": "Sequential", "config": [{"class_name": "Merge", "config": {"name": "m",
 "mode": "sum", "mode_type": "raw", "batch_input_shape": [null, 1, 2, 2], "layers": [)" +
                             branch + ", " + branch + "]}}]}";
  EXPECT_NE(refusal(config).find("'m' (Merge of models: it joins models that have an input each"), std::string::npos)
      << refusal(config);
}

}  // namespace
}  // namespace gpueval
