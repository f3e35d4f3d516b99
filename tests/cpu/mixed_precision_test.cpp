// SPDX-License-Identifier: Apache-2.0
// Layers left in float32 inside an int8 network: every node of the engine is checked against the reference on the
// engine's own inputs, integers exactly, float32 within eps * (depth + 1) * sum|a * b|.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "core/random.h"
#include "cpu/engine.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "reference/network.h"
#include "support/tapped_engine.h"

namespace gpueval {
namespace {

// Concats (nested, with a pool in between), residuals, signed and unsigned tensors, ReLU6, a stand-alone ReLU and add.
Graph network() {
  GraphBuilder g("mixed");
  int x = g.relu6("stem_relu", g.conv2d("stem", g.input(13, 11, 3), 8, 3, 3, {.stride = 2, .pad = Pad::kSame}));
  const int first = x;
  const int left = g.relu("left_relu", g.conv2d("left", x, 5, 1, 1, {}));
  const int right = g.relu("right_relu", g.conv2d("right", x, 6, 3, 3, {.pad = Pad::kSame}));
  const int inner = g.concat("inner", {left, right});
  x = g.concat("outer", {inner, g.avg_pool("average", first, 3, 1, Pad::kSame), first});
  x = g.max_pool("peak", x, 2, 1);
  x = g.relu6("dw_relu", g.depthwise_conv2d("dw", x, 3, {.pad = Pad::kSame}));
  const int shortcut = g.conv2d("shortcut", x, 9, 1, 1, {});
  const int branch = g.conv2d("branch", x, 9, 3, 3, {.pad = Pad::kSame});
  x = g.add("block", {branch, shortcut});
  const int again = g.conv2d("again", g.relu("lone_relu", x), 9, 1, 1, {});
  x = g.relu("sum_relu", g.add("sum", {g.max_pool("pool", again, 1, 1), g.max_pool("pool2", x, 1, 1)}));
  x = g.conv2d("padded", g.zero_pad("zeros", g.max_pool("last", x, 2, 2), {1, 0, 1, 2}), 7, 2, 2, {});
  return g.finish(g.dense("logits", g.flatten("flat", x), 10));
}

const std::vector<std::string> kLayers{"stem",   "left",  "right",  "dw",    "shortcut",
                                       "branch", "again", "padded", "logits"};

struct Case {
  Graph bound;
  CalibrationTable table;
  std::vector<float> image;
};

Case make_case(std::uint64_t seed) {
  Case c{network(), {}, {}};
  Random random(seed);
  for (Node& node : c.bound.nodes) {
    for (Param& param : node.params) {
      std::vector<float> values(static_cast<std::size_t>(param.array.elements()));
      for (float& x : values) x = static_cast<float>(random.normal() * 0.3);
      param.array.data = std::make_shared<const std::vector<float>>(std::move(values));
    }
  }
  c.image.resize(static_cast<std::size_t>(c.bound.input_node().shape.elements()));
  for (float& x : c.image) x = static_cast<float>(random.uniform(-1, 1));
  const auto engine = cpu::make_cpu_engine(lower_float(c.bound), {});
  bool done = false;
  c.table.range = observe_ranges(
      *engine, [&](std::vector<float>& batch, int) { return batch = c.image, std::exchange(done, true) ? 0 : 1; }, 1);
  return c;
}

Graph lower(const Case& c, std::vector<std::string> float_layers, DType activations = DType::kU8) {
  QuantOptions options;
  options.activations = activations;
  options.float_layers = std::move(float_layers);
  return lower_static(c.bound, c.table, options);
}

reference::NetworkResult run_engine(const Graph& graph, std::span<const float> image) {
  return test::run_engine(*cpu::make_cpu_engine(graph, {}), image);
}

// sum|a * b| of each output of a float32 node: the node itself on magnitudes, without activation.
std::vector<float> magnitudes(const Graph& graph, int index, const reference::NetworkResult& tensors) {
  Graph absolute = graph;
  Node& node = absolute.node(index);
  for (Param& param : node.params) {
    std::vector<float> values = *param.array.data;
    for (float& x : values) x = std::abs(x);
    param.array.data = std::make_shared<const std::vector<float>>(std::move(values));
  }
  std::vector<reference::FloatTensor> inputs;
  for (const int input : node.inputs) {
    inputs.push_back(tensors.floats[static_cast<std::size_t>(input)]);
    for (float& x : inputs.back().values) x = std::abs(x);
  }
  std::vector<const reference::FloatTensor*> pointers;
  for (const auto& input : inputs) pointers.push_back(&input);
  std::visit(
      [](auto& op) {
        if constexpr (requires { op.act; }) op.act = Activation::kNone;
      },
      node.op);
  if (std::holds_alternative<Relu>(node.op)) return inputs[0].values;
  return reference::float_node(absolute, index, pointers).values;
}

void check_every_node(const Graph& graph, std::span<const float> image) {
  const reference::NetworkResult engine = run_engine(graph, image);
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    SCOPED_TRACE(node.name);
    reference::NetworkResult expected = engine;
    reference::run_node(graph, static_cast<int>(i), expected);
    if (node.type.dtype != DType::kF32) {
      ASSERT_EQ(engine.tensors[i].bytes, expected.tensors[i].bytes);
      continue;
    }
    ASSERT_EQ(engine.floats[i].values.size(), expected.floats[i].values.size());
    const bool reads_float = graph.node(node.inputs[0]).type.dtype == DType::kF32;
    const auto desc = conv_desc(graph, static_cast<int>(i));
    const std::vector<float> sums = reads_float ? magnitudes(graph, static_cast<int>(i), engine) : std::vector<float>();
    for (std::size_t j = 0; j < engine.floats[i].values.size(); ++j) {
      const double depth = desc ? static_cast<double>(desc->depth()) : 9;
      const double tolerance = reads_float ? std::numeric_limits<float>::epsilon() * (depth + 1) * sums[j] : 0;
      const double difference = std::abs(double{engine.floats[i].values[j]} - expected.floats[i].values[j]);
      ASSERT_TRUE(difference <= tolerance) << "element " << j << ": " << difference << " > " << tolerance;
    }
  }
}

TEST(MixedPrecision, EveryNodeEqualsTheReference) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case c = make_case(seed);
    Random random(seed + 100);
    std::vector<std::string> chosen;
    for (const std::string& layer : kLayers) {
      if (random.integer(0, 1) == 1) chosen.push_back(layer);
    }
    check_every_node(lower(c, chosen, seed % 3 == 0 ? DType::kS8 : DType::kU8), c.image);
  }
}

TEST(MixedPrecision, EachLayerAloneInFloatAndInInt8) {
  const Case c = make_case(31);
  for (const std::string& layer : kLayers) {
    SCOPED_TRACE(layer);
    check_every_node(lower(c, {layer}), c.image);
    std::vector<std::string> others = kLayers;
    std::erase(others, layer);
    check_every_node(lower(c, others), c.image);
  }
}

// What remains int8 has the types, weights and multipliers that it has without any layer in float32.
TEST(MixedPrecision, IntegerLayersDoNotChange) {
  const Case c = make_case(5);
  const Graph all = lower(c, {});
  const Graph mixed = lower(c, {"left", "branch", "logits"});
  int compared = 0;
  for (const Node& node : mixed.nodes) {
    const int index = all.find(node.name);
    if (index < 0 || node.type.dtype == DType::kF32) continue;
    const Node& before = all.node(index);
    EXPECT_EQ(node.type.scale, before.type.scale) << node.name;
    EXPECT_EQ(node.type.dtype, before.type.dtype) << node.name;
    if (!node.integer) continue;
    EXPECT_EQ(node.integer->m, before.integer->m) << node.name;
    EXPECT_EQ(node.integer->b, before.integer->b) << node.name;
    EXPECT_EQ(node.integer->hi, before.integer->hi) << node.name;
    if (node.integer->weights) {
      EXPECT_EQ(*node.integer->weights, *before.integer->weights) << node.name;
    }
    ++compared;
  }
  EXPECT_EQ(compared, 14);  // lone_relu and pool2 read branch: they are float32, too
  // The float32 layer in the concat is quantized with the concat's scale, straight into its channels.
  const Node& part = mixed.node(mixed.find("left/quantize"));
  EXPECT_EQ(part.slice_of, mixed.find("inner"));
  EXPECT_EQ(mixed.find("right/quantize"), -1);
}

TEST(MixedPrecision, EveryLayerInFloatIsTheFloatNetwork) {
  const Case c = make_case(9);
  const Graph graph = lower(c, kLayers), expected = lower_float(c.bound);
  ASSERT_EQ(graph.nodes.size(), expected.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    EXPECT_EQ(graph.nodes[i].name, expected.nodes[i].name);
    EXPECT_EQ(graph.nodes[i].inputs, expected.nodes[i].inputs);
    EXPECT_EQ(graph.nodes[i].type.dtype, DType::kF32);
  }
  EXPECT_EQ(run_engine(graph, c.image).logits, run_engine(expected, c.image).logits);
}

// A tensor with scales per channel keeps them where float32 meets int8: the reader's weights contain them.
TEST(MixedPrecision, ScalesPerChannel) {
  Case c = make_case(17);
  Random random(3);
  for (int i = 0; i < 24; ++i)
    c.table.channel_scale["dw"].push_back(static_cast<float>(random.uniform(1e-3, 6.0 / 255)));
  c.table.channel_scale["dw"].resize(static_cast<std::size_t>(c.bound.node(c.bound.find("dw")).shape.c), 0.01f);
  for (const std::vector<std::string>& chosen : {std::vector<std::string>{"dw"}, {"branch"}, {"dw", "branch"}}) {
    const Graph graph = lower(c, chosen);
    check_every_node(graph, c.image);
    const int form = graph.find(chosen[0] == "dw" ? "dw/quantize" : "dw");
    ASSERT_GE(form, 0);
    EXPECT_EQ(graph.node(form).type.scale, c.table.channel_scale["dw"]);
  }
}

TEST(MixedPrecision, ASeparableLayerIsBothOfItsHalves) {
  GraphBuilder g("separable");
  Graph bound =
      g.finish(g.dense("logits", g.global_avg_pool("mean", g.separable_conv2d("sep", g.input(5, 5, 4), 6, 3, {})), 2));
  CalibrationTable table;
  for (const char* name : {"input", "sep/depthwise", "sep/pointwise", "mean", "logits"}) table.range[name] = 1;
  for (Node& node : bound.nodes) {
    for (Param& param : node.params) {
      param.array.data =
          std::make_shared<const std::vector<float>>(static_cast<std::size_t>(param.array.elements()), 1.0f);
    }
  }
  QuantOptions options;
  options.float_layers = {"sep"};
  const Graph graph = lower_static(bound, table, options);
  EXPECT_FALSE(graph.node(graph.find("sep/depthwise")).integer.has_value());
  EXPECT_FALSE(graph.node(graph.find("sep/pointwise")).integer.has_value());
  EXPECT_TRUE(graph.node(graph.find("logits")).integer.has_value());
}

TEST(MixedPrecision, UnknownLayersAreNamed) {
  const Case c = make_case(1);
  for (const char* name : {"nothing", "outer", "quantize_input"}) {
    try {
      lower(c, {name});
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace gpueval
