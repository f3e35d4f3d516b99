// SPDX-License-Identifier: Apache-2.0
#include "quant/lowering.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <memory>

#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "graph/op_row.h"
#include "quant/mixed_precision.h"

namespace gpueval {
namespace {

using Values = std::vector<float>;

const Node& node(const Graph& graph, const std::string& name) {
  const int index = graph.find(name);
  if (index < 0) throw Error("no node " + name);
  return graph.node(index);
}

void bind(Graph& graph, const std::string& name, std::vector<Values> values) {
  Node& layer = graph.node(graph.find(name));
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(layer.params[i].array.elements(), static_cast<std::int64_t>(values[i].size()));
    layer.params[i].array.data = std::make_shared<const Values>(values[i]);
  }
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

TEST(LowerStatic, HandComputed) {
  const Graph graph = lower_static(small(), ranges({{"input", 12.7f}, {"conv", 5.1f}, {"logits", 1.0f}}), {});
  const Node& conv = node(graph, "conv");
  EXPECT_EQ(node(graph, "quantize_input").type.dtype, DType::kS8);
  EXPECT_FLOAT_EQ(node(graph, "quantize_input").type.scale[0], 0.1f);
  EXPECT_EQ(conv.type.dtype, DType::kU8);
  EXPECT_FLOAT_EQ(conv.type.scale[0], 0.02f);
  // kernel (in, out) = (1, -.5, 0), (.25, 2, 0): per output channel max 1, 2, 0 -> scales 1/127, 2/127, 1
  const std::vector<std::int8_t> weights{127, 32, -32, 127, 0, 0};
  EXPECT_EQ(*conv.integer->weights, weights);  // .25 * 127 = 31.75; -.5 * 127 / 2 = -31.75
  EXPECT_FLOAT_EQ(conv.integer->m[0], 0.1f / 127 / 0.02f);
  EXPECT_FLOAT_EQ(conv.integer->m[1], 0.2f / 127 / 0.02f);
  EXPECT_FLOAT_EQ(conv.integer->m[2], 5.0f);
  EXPECT_FLOAT_EQ(conv.integer->b[0], 25.0f);
  EXPECT_FLOAT_EQ(conv.integer->b[2], 150.0f);
  EXPECT_EQ(conv.integer->lo, 0.0f);
  EXPECT_EQ(conv.integer->hi, 255.0f);  // 6 / .02 = 300 cuts nothing
  const Node& logits = node(graph, "logits");
  EXPECT_EQ(logits.type.dtype, DType::kF32);
  EXPECT_FLOAT_EQ(logits.integer->m[0], 0.02f / 127);
  EXPECT_FLOAT_EQ(logits.integer->b[1], 7.0f);
  EXPECT_EQ(logits.integer->lo, -std::numeric_limits<float>::infinity());
}

TEST(LowerStatic, SignedActivationsAndRelu6Cut) {
  QuantOptions options;
  options.activations = DType::kS8;
  const Graph graph = lower_static(small(), ranges({{"input", 1.0f}, {"conv", 12.7f}, {"logits", 1.0f}}), options);
  EXPECT_EQ(node(graph, "conv").type.dtype, DType::kS8);
  EXPECT_FLOAT_EQ(node(graph, "conv").type.scale[0], 0.1f);
  EXPECT_FLOAT_EQ(node(graph, "conv").integer->hi, 60.0f);
}

// Scales (.012, .02, .022) behind conv: its m and b are divided by them, the dense layer's weights multiplied.
TEST(LowerStatic, ChannelScalesMoveIntoTheNeighbours) {
  CalibrationTable table = ranges({{"input", 12.7f}, {"conv", 5.1f}, {"logits", 1.0f}});
  table.channel_scale["conv"] = {0.012f, 0.02f, 0.022f};
  const Graph graph = lower_static(small(), table, {});
  const Node &conv = node(graph, "conv"), &logits = node(graph, "logits");
  EXPECT_FLOAT_EQ(conv.integer->m[0], 0.1f / 127 / 0.012f);
  EXPECT_FLOAT_EQ(conv.integer->b[0], 0.5f / 0.012f);
  EXPECT_FLOAT_EQ(conv.integer->b[2], 3.0f / 0.022f);
  EXPECT_EQ(conv.integer->hi, 255.0f);
  // Dense (in, out) = (1, 0), (0, 1), (.5, .5) times .012, .02, .022: columns (.012, 0, .011) and (0, .02, .011).
  EXPECT_EQ(*logits.integer->weights, (std::vector<std::int8_t>{127, 0, 116, 0, 127, 70}));
  EXPECT_FLOAT_EQ(logits.integer->m[0], 0.012f / 127);
  table.channel_scale["conv"][2] = 0.04f;  // above 6 / 255: saturation at 255 would not be ReLU6's cut
  EXPECT_THROW(lower_static(small(), table, {}), Error);
}

TEST(LowerStatic, CorrectionsReplaceWeightsAndBias) {
  CalibrationTable table = ranges({{"input", 12.7f}, {"conv", 5.1f}, {"logits", 1.0f}});
  table.corrections["conv"] = {{1.0f, 2.0f, 3.0f}, {1, 2, 3, 4, 5, 6}, {0.5f, 0.25f, 0.125f}};
  const Graph graph = lower_static(small(), table, {});
  const IntegerOp& conv = *node(graph, "conv").integer;
  EXPECT_EQ(*conv.weights, (std::vector<std::int8_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_FLOAT_EQ(conv.m[1], 0.25f / 0.02f);
  EXPECT_FLOAT_EQ(conv.b[2], 3.0f / 0.02f);
  table.corrections["conv"].weights.pop_back();
  EXPECT_THROW(lower_static(small(), table, {}), Error);
}

TEST(LowerStatic, ChannelScalesWhereTheyCannotBeAreRefused) {
  CalibrationTable table = ranges({{"input", 12.7f}, {"conv", 5.1f}, {"logits", 1.0f}});
  table.channel_scale["logits"] = {0.01f, 0.02f};
  EXPECT_THROW(lower_static(small(), table, {}), Error);
  table.channel_scale = {{"conv", {0.01f, 0.02f}}};
  EXPECT_THROW(lower_static(small(), table, {}), Error);
}

TEST(LowerStatic, MissingRangeIsNamed) {
  try {
    lower_static(small(), ranges({{"input", 1.0f}}), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'conv'"), std::string::npos) << error.what();
  }
}

TEST(LowerStatic, ScalesBeyondFloat32AreRefused) {
  try {
    lower_static(small(), ranges({{"input", 3e38f}, {"conv", 1e-37f}, {"logits", 1.0f}}), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the scales of layer 'conv' are beyond float32"), std::string::npos)
        << error.what();
  }
}

TEST(LowerStatic, DeadTensorHasScaleOne) {
  const Graph graph = lower_static(small(), ranges({{"input", 1.0f}, {"conv", 0.0f}, {"logits", 1.0f}}), {});
  EXPECT_EQ(node(graph, "conv").type.scale[0], 1.0f);
}

// Concat: its convolutions take its scale and write in place; a pool with other readers keeps its own and is
// requantized.
TEST(LowerStatic, ConcatOwnsTheScale) {
  GraphBuilder g("concat");
  const int stem = g.relu("stem_relu", g.conv2d("stem", g.input(4, 4, 1), 1, 1, 1, {}));
  const int conv = g.relu("conv_relu", g.conv2d("conv", stem, 1, 1, 1, {}));
  const int pool = g.max_pool("pool", stem, 3, 1, Pad::kSame);
  const int join = g.concat("join", {conv, pool, stem});
  Graph bound = g.finish(g.dense("logits", g.global_avg_pool("mean", join), 2));
  for (Node& layer : bound.nodes) {
    for (Param& param : layer.params) {
      param.array.data = std::make_shared<const Values>(Values(static_cast<std::size_t>(param.array.elements()), 1.0f));
    }
  }
  const Graph graph = lower_static(bound,
                                   ranges({{"input", 1.0f},
                                           {"stem", 2.55f},
                                           {"conv", 1.0f},
                                           {"pool", 2.55f},
                                           {"join", 5.1f},
                                           {"mean", 5.1f},
                                           {"logits", 1.0f}}),
                                   {});
  EXPECT_FLOAT_EQ(node(graph, "conv").type.scale[0], 0.02f);
  EXPECT_EQ(node(graph, "conv").slice_of, graph.find("join"));
  EXPECT_FLOAT_EQ(node(graph, "pool").type.scale[0], 0.02f);
  EXPECT_FLOAT_EQ(node(graph, "pool").integer->input_factors[0], 0.5f);
  EXPECT_EQ(node(graph, "pool").slice_of, graph.find("join"));
  EXPECT_FLOAT_EQ(node(graph, "stem").type.scale[0], 0.01f);
  EXPECT_EQ(node(graph, "stem").slice_of, -1);
  EXPECT_FLOAT_EQ(node(graph, "join").integer->input_factors[2], 0.5f);
}

// Input s8 of 0.1; gamma' = 3, -5, beta' = 1, 10; the tensor u8 of 0.02 behind ReLU6.
TEST(LowerStatic, AffineHandComputed) {
  GraphBuilder g("affine");
  const int norm = g.relu6("relu", g.batch_norm("bn", g.input(2, 2, 2), 0.5f));
  Graph bound = g.finish(g.batch_norm("last", norm, 0.0f, false));
  bind(bound, "bn", {{6.0f, -5.0f}, {10.0f, 0.0f}, {3.0f, 2.0f}, {3.5f, 0.5f}});
  bind(bound, "last", {{1.0f, 2.0f}, {0.0f, 0.0f}, {1.0f, 0.25f}});
  const Graph graph = lower_static(bound, ranges({{"input", 12.7f}, {"bn", 5.1f}, {"last", 1.0f}}), {});
  const IntegerOp& op = *node(graph, "bn").integer;
  EXPECT_EQ(node(graph, "bn").type.dtype, DType::kU8);
  EXPECT_TRUE(node(graph, "bn").params.empty());
  EXPECT_FLOAT_EQ(op.m[0], 3 * 0.1f / 0.02f);
  EXPECT_FLOAT_EQ(op.m[1], -5 * 0.1f / 0.02f);
  EXPECT_FLOAT_EQ(op.b[0], 1 / 0.02f);
  EXPECT_FLOAT_EQ(op.b[1], 10 / 0.02f);
  EXPECT_EQ(op.lo, 0.0f);
  EXPECT_EQ(op.hi, 255.0f);
  const IntegerOp& logits = *node(graph, "last").integer;  // float32: in real units, not clamped
  EXPECT_EQ(node(graph, "last").type.dtype, DType::kF32);
  EXPECT_FLOAT_EQ(logits.m[1], 2 * 0.02f);
  EXPECT_FLOAT_EQ(logits.b[1], 2.0f);
  EXPECT_EQ(logits.lo, -std::numeric_limits<float>::infinity());
}

// Every gamma negative: no channel is silent.
TEST(LowerStatic, AffineOfNegativeFactorsIsNotDamaged) {
  GraphBuilder g("affine");
  Graph bound = g.finish(g.batch_norm("bn", g.relu("relu", g.input(2, 2, 1)), 0.0f));
  bind(bound, "bn", {{-1.0f}, {0.0f}, {0.0f}, {1.0f}});
  const CalibrationTable table = ranges({{"input", 1.0f}, {"relu", 1.0f}, {"bn", 1.0f}});
  EXPECT_LT(node(lower_static(bound, table, {}), "bn").integer->m[0], 0.0f);
}

// As behind the residual branches of a network that is not trained yet.
TEST(LowerStatic, AffineOfZerosIsItsOffset) {
  GraphBuilder g("affine");
  Graph bound = g.finish(g.batch_norm("bn", g.relu("relu", g.input(2, 2, 1)), 0.0f));
  bind(bound, "bn", {{0.0f}, {3.0f}, {0.0f}, {1.0f}});
  const Graph graph = lower_static(bound, ranges({{"input", 1.0f}, {"relu", 1.0f}, {"bn", 3.0f}}), {});
  EXPECT_EQ(node(graph, "bn").integer->m[0], 0.0f);
  EXPECT_FLOAT_EQ(node(graph, "bn").integer->b[0], 3.0f);
}

// A graph with types, whose batch norm nobody made an affine of: it has no int8 form.
TEST(KeepInFloat, OperationsWithoutAnInt8FormStayInFloat) {
  GraphBuilder g("norm");
  const int first = g.conv2d("first", g.input(2, 2, 3), 4, 1, 1, {});
  Graph typed = g.finish(g.dense("logits", g.batch_norm("bn", g.relu("relu", first)), 2));
  typed.nodes.insert(typed.nodes.begin() + 1, {.name = "quantize_input", .op = Quantize{}, .shape = {1, 2, 2, 3}});
  for (Node& each : typed.nodes) {
    for (int& input : each.inputs) ++input;
  }
  typed.nodes[1].inputs = {0};
  ++typed.outputs[0].node;
  for (std::size_t i = 1; i + 1 < typed.nodes.size(); ++i) typed.nodes[i].type = {DType::kS8, {0.5f}};
  const Graph graph = keep_in_float(typed, {});
  std::string order;
  for (const Node& each : graph.nodes) order += each.name + " " + to_string(each.type.dtype) + "; ";
  EXPECT_EQ(order,
            "input f32; quantize_input s8; first s8; relu s8; relu/dequantize f32; bn f32; bn/quantize s8; "
            "logits f32; ");
  EXPECT_TRUE(runs_in_float(graph, node(graph, "bn")));
  EXPECT_FALSE(runs_in_float(graph, node(graph, "logits")));
}

// A sum has no kernel that gives float32 from integers: as the output it is left in float32, instead of an error.
TEST(LowerStatic, OutputWithoutAFloatResultIsLeftInFloat) {
  GraphBuilder g("sum");
  const int x = g.relu("relu", g.input(1, 1, 2));
  const Graph graph = lower_static(g.finish(g.add("sum", {x, g.max_pool("pool", x, 1, 1)})),
                                   ranges({{"input", 1.0f}, {"relu", 1.0f}, {"pool", 1.0f}, {"sum", 2.0f}}), {});
  EXPECT_EQ(graph.output_node().name, "sum");
  EXPECT_TRUE(runs_in_float(graph, graph.output_node()));
  EXPECT_EQ(op_name(graph.node(graph.output_node().inputs[1]).op), "Dequantize");
}

std::string text_of(const Graph& graph) {
  std::string text;
  for (const auto& [name, index] : graph.outputs) {
    const Node& source = graph.node(index);
    text += name + "=" + source.name + " " + to_string(source.type.dtype) + "; ";
  }
  return text;
}

// Outputs are float32: what nothing else reads leaves as it does from a network with one, what others read in int8
// through a node of its own, the input as it came.
TEST(LowerStatic, SeveralOutputsLeaveInFloat) {
  GraphBuilder g("several");
  const int x = g.input(2, 2, 3);
  const int read = g.conv2d("read", x, 4, 1, 1, {});
  const int leaf = g.conv2d("leaf", read, 4, 1, 1, {});
  Graph bound = g.finish({{"pixels", x}, {"a", read}, {"b", read}, {"c", leaf}, {"d", leaf}});
  bind(bound, "read", {Values(12, 1.0f), Values(4, 0.0f)});
  bind(bound, "leaf", {Values(16, 1.0f), Values(4, 0.0f)});
  const CalibrationTable table = ranges({{"input", 1.0f}, {"read", 1.0f}, {"leaf", 1.0f}});
  const Graph graph = lower_static(bound, table, {});
  EXPECT_EQ(text_of(graph), "pixels=input f32; a=read/dequantize f32; b=read/dequantize f32; c=leaf f32; d=leaf f32; ");
  EXPECT_EQ(node(graph, "read").type.dtype, DType::kS8);
  EXPECT_TRUE(node(graph, "leaf").integer.has_value());
  // In float32 it is the output itself, and int8 for its reader.
  const Graph mixed = lower_static(bound, table, {.float_layers = {"read"}});
  EXPECT_EQ(text_of(mixed), "pixels=input f32; a=read f32; b=read f32; c=leaf f32; d=leaf f32; ");
  EXPECT_EQ(mixed.node(node(mixed, "leaf").inputs[0]).name, "read/quantize");
}

// A detector's heads: no output goes through 8 bits on its way through reshapes, functions and concats. What others
// read in int8 stays int8 for them.
TEST(LowerStatic, HeadsGiveTheirSumsAsFloat) {
  GraphBuilder g("heads");
  const int x = g.input(2, 2, 2);
  const int body = g.conv2d("body", x, 2, 1, 1, {});
  const int a = g.reshape("a/reshape", g.conv2d("a", body, 4, 1, 1, {}), {8, 1, 2});
  const int b = g.conv2d("b", body, 2, 1, 1, {});
  const int c = g.reshape("c/reshape", g.relu6("c/relu6", g.conv2d("c", b, 2, 1, 1, {})), {4, 1, 2});
  const int scores = g.activate("scores", a, {.kind = FunctionKind::kSigmoid});
  Graph bound = g.finish({{"all", g.concat("concat", {scores, g.reshape("b/reshape", b, {4, 1, 2}), c}, Axis::kH)}});
  for (const char* name : {"body", "b", "c"}) bind(bound, name, {Values(4, 1.0f), Values(2, 0.0f)});
  bind(bound, "a", {Values(8, 1.0f), Values(4, 0.0f)});
  CalibrationTable table;
  for (const Node& layer : bound.nodes) table.range[layer.name] = 1.0f;
  const Graph graph = lower_static(bound, table, {});
  EXPECT_EQ(text_of(graph), "all=concat f32; ");
  for (const char* name : {"a", "a/reshape", "scores", "b/reshape", "c/reshape"})
    EXPECT_EQ(node(graph, name).type.dtype, DType::kF32) << name;
  EXPECT_TRUE(node(graph, "a").integer.has_value());
  EXPECT_EQ(node(graph, "a").integer->lo, -std::numeric_limits<float>::infinity());
  EXPECT_EQ(graph.node(node(graph, "a/reshape").inputs[0]).name, "a");  // no step between them
  EXPECT_TRUE(is_integer(node(graph, "b").type.dtype));                 // "c" reads it
  EXPECT_EQ(graph.node(node(graph, "b/reshape").inputs[0]).name, "b/dequantize");
  EXPECT_TRUE(is_integer(node(graph, "c").type.dtype));  // ReLU6 cuts above, which sums that leave do not
}

// Rows between the pictures of a dilated convolution are dropped, so their numbers do not count; a clipped range stays.
TEST(LowerStatic, DroppedRowsHaveNoRange) {
  GraphBuilder g("dilated");
  const int conv = g.conv2d("conv", g.input(5, 2, 1), 1, 1, 1, {});
  const int map = g.batch_to_space("map", conv, {.rate_h = 2, .gap = 1, .h = 4, .w = 2});
  Graph bound = g.finish(g.conv2d("last", map, 1, 1, 1, {}));
  bind(bound, "conv", {{1.0f}, {0.0f}});
  bind(bound, "last", {{1.0f}, {0.0f}});
  for (const auto& [own, kept, want] : {std::array{9.0f, 2.54f, 0.02f}, std::array{1.27f, 2.54f, 0.01f}}) {
    const Graph graph =
        lower_static(bound, ranges({{"input", 1.0f}, {"conv", own}, {"map", kept}, {"last", 1.0f}}), {});
    EXPECT_FLOAT_EQ(node(graph, "conv").type.scale[0], want);
    EXPECT_EQ(node(graph, "map").type.scale, node(graph, "conv").type.scale);
  }
}

TEST(CheckAccumulator, RefusesWhatCouldOverflow) {
  GraphBuilder fits("fits"), over("over");
  const Graph good = fits.finish(fits.dense("logits", fits.input(1, 1, 66311), 1));
  const Graph bad = over.finish(over.dense("logits", over.input(1, 1, 66312), 1));
  EXPECT_NO_THROW(check_accumulator(good, 1));  // 66311 * 127 * 255 = 2147481735 < 2^31
  EXPECT_THROW(check_accumulator(bad, 1), Error);
}

TEST(QuantizeWeights, TiesToEvenAndLayouts) {
  GraphBuilder g("w");
  const int x = g.input(4, 4, 2);
  const int conv = g.conv2d("conv", x, 1, 2, 1, {.bias = false});
  Graph graph = g.finish(g.depthwise_conv2d("dw", conv, 2, {.bias = false}));
  bind(graph, "conv", {{0.5f, 1.5f, 2.5f, -200.0f}});
  const float one = 1.0f;
  EXPECT_EQ(quantize_weights(graph.nodes[1], {&one, 1}), (std::vector<std::int8_t>{0, 2, 2, -127}));
}

TEST(LowerReference, KeepsBatchNormAndQuantizesPerTensor) {
  GraphBuilder g("ref");
  int x = g.separable_conv2d("sep", g.input(4, 4, 2), 2, 1, {.bias = false});
  x = g.relu("relu", g.batch_norm("bn", x));
  Graph bound = g.finish(g.dense("logits", g.global_avg_pool("mean", x), 2));
  for (Node& layer : bound.nodes) {
    for (Param& param : layer.params) {
      Values values(static_cast<std::size_t>(param.array.elements()), 0.3f);
      values[0] = 1.0f;
      param.array.data = std::make_shared<const Values>(values);
    }
  }
  const Graph graph = lower_reference(bound, {});
  EXPECT_EQ(std::get<BatchNorm>(node(graph, "bn").op).act, Activation::kRelu);
  EXPECT_TRUE(node(graph, "sep/depthwise").integer->dynamic);
  // The pointwise half reads the depthwise result as it is: float32 with rounded weights (.3 * 127 = 38.1 -> 38 / 127).
  EXPECT_FALSE(node(graph, "sep/pointwise").integer.has_value());
  EXPECT_FLOAT_EQ((*node(graph, "sep/pointwise").params[0].array.data)[1], 38.0f / 127.0f);
  EXPECT_FLOAT_EQ(node(graph, "logits").integer->weight_scale, 1.0f / 127.0f);
  QuantOptions pointwise_only;
  pointwise_only.depthwise_int8 = false;
  EXPECT_FALSE(node(lower_reference(bound, pointwise_only), "sep/depthwise").integer.has_value());
}

}  // namespace
}  // namespace gpueval
