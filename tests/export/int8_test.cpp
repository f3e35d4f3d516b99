// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <memory>

#include "export/integer_layer.h"
#include "gpueval/models.h"
#include "gpueval/quant.h"
#include "gpueval/weights.h"
#include "onnx_file.h"

namespace gpueval::test {
namespace {

using Values = std::vector<float>;
using Dims = std::vector<std::int64_t>;
using Bytes = std::vector<std::int8_t>;

void bind(Graph& graph, const std::string& name, std::vector<Values> values) {
  Node& layer = graph.node(graph.find(name));
  for (std::size_t i = 0; i < values.size(); ++i)
    layer.params[i].array.data = std::make_shared<const Values>(values[i]);
}

// 1x1 conv 2 -> 3 with ReLU6, then dense 3 -> 2.
Graph small() {
  GraphBuilder g("small");
  const int conv = g.conv2d("conv", g.input(1, 1, 2), 3, 1, 1, {});
  Graph graph = g.finish(g.dense("logits", g.relu6("relu", conv), 2));
  bind(graph, "conv", {{1.0f, -0.5f, 0.0f, 0.25f, 2.0f, 0.0f}, {0.5f, 0.0f, 3.0f}});
  bind(graph, "logits", {{1.0f, 0.0f, 0.0f, 1.0f, 0.5f, 0.5f}, {0.0f, 7.0f}});
  return graph;
}

CalibrationTable ranges(std::map<std::string, float> max_abs) {
  CalibrationTable table;
  table.range = std::move(max_abs);
  return table;
}

const CalibrationTable kSmallRanges = ranges({{"input", 12.7f}, {"conv", 5.1f}, {"logits", 1.0f}});

TEST(OnnxInt8, PairsCarryScalesAndIntegers) {
  const Graph lowered = lower_static(small(), kSmallRanges, {});
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  const auto& conv = file.node("conv");
  const auto& source = file.before(conv);
  EXPECT_EQ(source.op_type(), "DequantizeLinear");
  EXPECT_FLOAT_EQ(file.values<float>(source.input(1))[0], 0.1f);
  EXPECT_EQ(file.tensor(source.input(2)).data_type(), onnx::TensorProto::INT8);
  EXPECT_EQ(file.before(source).op_type(), "QuantizeLinear");

  const auto& weights = file.before(conv, 1);
  EXPECT_EQ(weights.op_type(), "DequantizeLinear");
  EXPECT_EQ(OnnxFile::integer(weights, "axis"), 0);
  EXPECT_EQ(file.tensor(weights.input(0)).data_type(), onnx::TensorProto::INT8);
  EXPECT_EQ(file.dims(weights.input(0)), (Dims{3, 2, 1, 1}));
  EXPECT_EQ(file.values<std::int8_t>(weights.input(0)), (Bytes{127, 32, -32, 127, 0, 0}));
  EXPECT_FLOAT_EQ(file.values<float>(weights.input(1))[1], 2.0f / 127.0f);
  EXPECT_EQ(file.values<std::int8_t>(weights.input(2)), (Bytes{0, 0, 0}));

  const auto& bias = file.before(conv, 2);
  EXPECT_EQ(file.tensor(bias.input(0)).data_type(), onnx::TensorProto::INT32);
  // .5 / (.1 / 127) = 635; 3 / (.1 * 1) = 30
  EXPECT_EQ(file.values<std::int32_t>(bias.input(0)), (std::vector<std::int32_t>{635, 0, 30}));
  EXPECT_FLOAT_EQ(file.values<float>(bias.input(1))[0], 0.1f / 127.0f);

  const auto& quantize = file.node("conv/quantize");
  EXPECT_EQ(file.before(quantize).op_type(), "Relu");  // 6 / .02 = 300: saturation at 255 comes first
  EXPECT_EQ(file.tensor(quantize.input(2)).data_type(), onnx::TensorProto::UINT8);
  EXPECT_FLOAT_EQ(file.values<float>(quantize.input(1))[0], 0.02f);
}

TEST(OnnxInt8, TensorRtLayoutHasSignedTensorsAndFloatBias) {
  QuantOptions options;
  options.activations = DType::kS8;
  const Graph lowered = lower_static(small(), ranges({{"input", 1.0f}, {"conv", 12.7f}, {"logits", 1.0f}}), options);
  const OnnxFile file(lowered, {.bias = OnnxBias::kFloat32});
  file.expect_well_formed(lowered);
  EXPECT_EQ(file.values<float>(file.node("conv").input(2)), (Values{0.5f, 0.0f, 3.0f}));
  for (const auto& node : file.graph().node()) {
    if (node.op_type() != "QuantizeLinear" && node.op_type() != "DequantizeLinear") continue;
    const auto& zero = file.tensor(node.input(2));
    EXPECT_EQ(zero.data_type(), onnx::TensorProto::INT8) << node.name();
    EXPECT_EQ(zero.raw_data(), std::string(zero.raw_data().size(), '\0')) << node.name();
  }
  const auto& clip = file.before(file.node("conv/quantize"));  // the range is above 6, so ReLU6 cuts at q = 60
  EXPECT_EQ(clip.op_type(), "Clip");
  EXPECT_FLOAT_EQ(file.values<float>(clip.input(2))[0], 6.0f);
}

// Scales (.012, .02, .022) behind conv become one, .022: what the layers compute in integers must not change.
TEST(OnnxInt8, ScalesPerChannelMoveIntoTheWeights) {
  CalibrationTable table = kSmallRanges;
  const Values scales{0.012f, 0.02f, 0.022f};
  table.channel_scale["conv"] = scales;
  const Graph lowered = lower_static(small(), table, {});
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  EXPECT_FLOAT_EQ(file.values<float>("conv/scale")[0], 0.022f);
  const auto at = [&](const std::string& name) -> const IntegerOp& {
    return *lowered.node(lowered.find(name)).integer;
  };
  EXPECT_EQ(file.values<std::int8_t>("conv/weights/quantized"), *at("conv").weights);
  EXPECT_EQ(file.values<std::int8_t>("logits/weights/quantized"), *at("logits").weights);
  for (std::size_t k = 0; k < 3; ++k) {
    // v = acc * m + b in steps of the channel's own scale.
    EXPECT_FLOAT_EQ(file.values<float>("conv/weights/scale")[k] * 0.1f / 0.022f, at("conv").m[k]);
    const double bias = file.values<std::int32_t>("conv/bias/quantized")[k] *
                        double{file.values<float>("conv/bias/scale")[k]} / double{0.022f};
    EXPECT_NEAR(bias, at("conv").b[k], at("conv").m[k] / 2 + 1e-4);
  }
  for (std::size_t k = 0; k < 2; ++k)
    EXPECT_FLOAT_EQ(file.values<float>("logits/weights/scale")[k] * 0.022f, at("logits").m[k]);
}

// conv -> SiLU -> dense: the file has the zero points, and the biases what they were without.
TEST(OnnxInt8, ZeroPointsAreTheTensorsOwn) {
  GraphBuilder g("offset");
  const int conv = g.conv2d("conv", g.input(1, 1, 2), 3, 1, 1, {});
  Graph bound = g.finish(g.dense("logits", g.activate("silu", conv, {FunctionKind::kSilu}), 2));
  bind(bound, "conv", {{1.0f, -0.5f, 0.0f, 0.25f, 2.0f, 0.5f}, {0.5f, 0.0f, 3.0f}});
  bind(bound, "logits", {{1.0f, 0.0f, 0.0f, 1.0f, 0.5f, 0.5f}, {0.0f, 7.0f}});
  CalibrationTable table = ranges({{"input", 12.7f}, {"conv", 5.0f}, {"silu", 5.0f}, {"logits", 1.0f}});
  table.zero_point = {{"conv", 55}, {"silu", 5}};
  const Graph lowered = lower_static(bound, table, {});
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  EXPECT_EQ(file.values<std::uint8_t>("conv/zero_point")[0], 55);
  EXPECT_EQ(file.values<std::uint8_t>("silu/zero_point")[0], 5);
  EXPECT_FLOAT_EQ(file.values<float>("conv/scale")[0], 5.0f / 200);
  const auto bias = [&](const std::string& layer, std::size_t k) {
    const double steps = file.values<std::int32_t>(layer + "/bias/quantized")[k];
    return steps * file.values<float>(layer + "/bias/scale")[k];
  };
  EXPECT_NEAR(bias("conv", 0), 0.5, 1e-3);
  EXPECT_NEAR(bias("conv", 2), 3.0, 1e-3);
  EXPECT_NEAR(bias("logits", 0), 0.0, 1e-3);
  EXPECT_NEAR(bias("logits", 1), 7.0, 1e-3);
  const Node& logits = lowered.node(lowered.find("logits"));
  const double sum = 127 + 0 + 64;  // of the first channel's weights, 1, 0 and .5
  EXPECT_FLOAT_EQ(logits.integer->b[0], static_cast<float>(-5 * sum * logits.integer->m[0]));
}

TEST(OnnxInt8, BiasBeyondInt32TakesACoarserScale) {
  IntegerOp op;
  op.weights = std::make_shared<const Bytes>(Bytes{127, -127, 100, 50});
  op.m = {1e-14f, 0.01f};
  op.b = {40.0f, 40.0f};
  const ConvDesc desc{.c = 2, .k = 2};
  const auto layer = onnx_export::integer_layer(op, desc, 0.5, 0.02, OnnxBias::kInt32);
  EXPECT_EQ(layer.weights, (Bytes{0, 0, 100, 50}));
  EXPECT_EQ(layer.integer_bias, (std::vector<std::int32_t>{1 << 30, 4000}));
  EXPECT_NEAR(layer.integer_bias[0] * double{layer.integer_bias_scale[0]}, 0.8, 1e-6);
  EXPECT_FLOAT_EQ(layer.weight_scale[1], 0.01f * 0.02f / 0.5f);
  const auto exact = onnx_export::integer_layer(op, desc, 0.5, 0.02, OnnxBias::kFloat32);
  EXPECT_EQ(exact.weights, *op.weights);
  EXPECT_FLOAT_EQ(exact.bias[0], 0.8f);
  EXPECT_TRUE(exact.integer_bias.empty());
}

TEST(OnnxInt8, LayersLeftInFloatHaveFloatWeights) {
  QuantOptions options;
  options.float_layers = {"conv"};
  const Graph lowered = lower_static(small(), kSmallRanges, options);
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  EXPECT_EQ(file.values<float>("conv/weights"), (Values{1.0f, 0.25f, -0.5f, 2.0f, 0.0f, 0.0f}));
  EXPECT_EQ(file.before(file.node("logits"), 1).op_type(), "DequantizeLinear");
}

// In real units the numbers of the integer form are those of the float32 network.
TEST(OnnxInt8, AffineMultipliesAndAdds) {
  GraphBuilder g("affine");
  const int norm = g.relu("relu", g.batch_norm("bn", g.input(2, 2, 2), 0.0f));
  Graph bound = g.finish(g.dense("logits", norm, 1));
  bind(bound, "bn", {{6.0f, -5.0f}, {10.0f, 0.0f}, {3.0f, 2.0f}, {4.0f, 1.0f}});
  bind(bound, "logits", {Values(8, 1.0f), {0.0f}});
  const CalibrationTable table = ranges({{"input", 12.7f}, {"bn", 5.1f}, {"logits", 1.0f}});
  for (const Graph& lowered : {lower_float(bound), lower_static(bound, table, {})}) {
    const OnnxFile file(lowered);
    file.expect_well_formed(lowered);
    const auto& add = file.node("bn");
    EXPECT_EQ(add.op_type(), "Add");
    EXPECT_EQ(file.before(add).op_type(), "Mul");
    EXPECT_EQ(file.dims("bn/gamma"), (Dims{2, 1, 1}));
    const Values gamma = file.values<float>("bn/gamma"), beta = file.values<float>("bn/beta");
    EXPECT_FLOAT_EQ(gamma[0], 3.0f);
    EXPECT_FLOAT_EQ(gamma[1], -5.0f);
    EXPECT_FLOAT_EQ(beta[0], 1.0f);
    EXPECT_FLOAT_EQ(beta[1], 10.0f);
  }
}

TEST(OnnxInt8, ReferenceSchemeIsAnError) {
  GraphBuilder g("net");
  Graph bound = g.finish(g.dense("fc", g.input(1, 1, 2), 1));
  bind(bound, "fc", {{1.0f, 2.0f}, {0.0f}});
  const Graph lowered = lower_reference(bound, {});
  EXPECT_NE(error_of([&] { OnnxFile file(lowered); }).find("finds its scale at run time"), std::string::npos);
}

class OnnxInt8Networks : public testing::TestWithParam<std::string> {};

// The integers in the file are the engine's, for both layouts.
TEST_P(OnnxInt8Networks, AreWellFormed) {
  const Graph bound = random_weights(find_model(GetParam()).build({}), 1);
  CalibrationTable table;
  for (const Node& node : lower_float(bound).nodes) table.range[node.name] = 5.0f;
  for (const OnnxBias bias : {OnnxBias::kInt32, OnnxBias::kFloat32}) {
    QuantOptions options;
    options.activations = bias == OnnxBias::kInt32 ? DType::kU8 : DType::kS8;
    const Graph lowered = lower_static(bound, table, options);
    const OnnxFile file(lowered, {.bias = bias});
    file.expect_well_formed(lowered);
    for (const Node& node : lowered.nodes) {
      if (!node.integer || !node.integer->weights) continue;
      const auto& layer = file.node(node.name);
      const auto written = file.values<std::int8_t>(file.before(layer, 1).input(0));
      long sum = 0, expected = 0;
      for (const std::int8_t q : written) sum += q;
      for (const std::int8_t q : *node.integer->weights) expected += q;
      EXPECT_EQ(written.size(), node.integer->weights->size()) << node.name;
      EXPECT_EQ(sum, expected) << node.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Small, OnnxInt8Networks,
                         testing::Values("resnet50", "inceptionv3", "xception", "mobilenet", "squeezenet", "demo"));

}  // namespace
}  // namespace gpueval::test
