// SPDX-License-Identifier: Apache-2.0
// Codes in front of functions: where they end, what the layers make of them, who cannot have any.
#include "quant/recipe/zero_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../support/test_networks.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"

namespace gpueval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Values = std::vector<float>;

constexpr Function kSilu{FunctionKind::kSilu}, kHardSilu{FunctionKind::kHardSilu}, kSigmoid{FunctionKind::kSigmoid};

SignedHistogram histogram_of(const Values& values) {
  SignedHistogram histogram;
  for (const float x : values) {
    histogram.least = std::min(histogram.least, x);
    histogram.largest = std::max(histogram.largest, x);
  }
  histogram.add(values);
  return histogram;
}

Values evenly(float from, float to) {
  Values values;
  for (int i = 0; i <= 10000; ++i) values.push_back(from + (to - from) * static_cast<float>(i) / 10000);
  return values;
}

double lowest(const ZeroPoint& codes) { return -double{codes.range} / (255 - codes.zero_point) * codes.zero_point; }

TEST(ZeroPoints, EndWhereTheFunctionIsFlat) {
  const ZeroPoint silu = find_zero_point(histogram_of(evenly(-40, 10)), {{kSilu}});
  EXPECT_GT(silu.range, 9.5f);
  EXPECT_LT(lowest(silu), -3.0);
  EXPECT_GT(lowest(silu), -9.0);
  const ZeroPoint hard = find_zero_point(histogram_of(evenly(-40, 10)), {{kHardSilu}});
  EXPECT_NEAR(lowest(hard), -3.5, 1.0);  // zero below -3
  const ZeroPoint gate = find_zero_point(histogram_of(evenly(-40, 40)), {{kSigmoid}});
  EXPECT_LT(gate.range, 12.5f);  // flat on both sides
  EXPECT_GT(lowest(gate), -12.5);
}

TEST(ZeroPoints, TwoReadersShareTheCodes) {
  const std::vector<Function> both{kHardSilu, {FunctionKind::kTanh}};
  const ZeroPoint codes = find_zero_point(histogram_of(evenly(-40, 10)), both);
  EXPECT_GT(codes.range, 9.0f);
}

TEST(ZeroPoints, OneSignAndNothingAtAll) {
  const ZeroPoint above = find_zero_point(histogram_of(evenly(0, 5)), {{kSilu}});
  EXPECT_EQ(above.zero_point, 1);
  EXPECT_NEAR(above.range, 5.0f, 0.3f);
  const ZeroPoint below = find_zero_point(histogram_of(evenly(-5, 0)), {{kSilu}});
  EXPECT_EQ(below.zero_point, 254);
  EXPECT_GT(below.range, 0.0f);
  EXPECT_EQ(find_zero_point(histogram_of(Values(10, 0.0f)), {{kSilu}}).zero_point, 0);
  const ZeroPoint infinite = find_zero_point(histogram_of({-1, 0, std::numeric_limits<float>::infinity()}), {{kSilu}});
  EXPECT_EQ(infinite.zero_point, 0);
  EXPECT_TRUE(std::isinf(infinite.range));
  EXPECT_FLOAT_EQ(find_zero_point(histogram_of(evenly(-0.25f, 10)), {}).range, 10.0f);  // of the values themselves
}

// conv -> SiLU -> depthwise -> hard SiLU -> dense
Graph with_functions() {
  GraphBuilder g("functions");
  const int conv = g.activate("silu", g.conv2d("conv", g.input(6, 6, 3), 8, 3, 3, {.pad = Pad::kSame}), kSilu);
  const int wide = g.activate("hard", g.depthwise_conv2d("wide", conv, 3, {.pad = Pad::kSame}), kHardSilu);
  Graph graph = g.finish(g.dense("logits", g.global_avg_pool("mean", wide), 4));
  test::bind_random(graph, 3);
  return graph;
}

CalibrationTable table_of(const Graph& graph) {
  CalibrationTable table;
  for (const Node& node : graph.nodes) table.range[node.name] = 4.0f;
  return table;
}

const Node& named(const Graph& graph, const std::string& name) { return graph.node(graph.find(name)); }

TEST(ZeroPoints, AreInTheBiasAndInTheTable) {
  const Graph graph = with_functions();
  CalibrationTable table = table_of(graph);
  const Graph plain = lower_static(graph, table, {});
  table.zero_point["conv"] = 55;
  table.range["conv"] = 10.0f;  // steps of 1 / 20, from -2.75
  const Graph lowered = lower_static(graph, table, {});
  const Node &conv = named(lowered, "conv"), &silu = named(lowered, "silu");
  EXPECT_EQ(conv.type.dtype, DType::kU8);
  EXPECT_FLOAT_EQ(conv.type.scale[0], 0.05f);
  EXPECT_EQ(conv.type.zero_point, 55);
  EXPECT_EQ(conv.integer->lo, 0.0f);
  EXPECT_EQ(conv.integer->hi, 255.0f);
  const double bias = named(graph, "conv").find(Role::kBias)->array.data->front();
  EXPECT_FLOAT_EQ(conv.integer->b[0], static_cast<float>(bias / conv.type.scale[0] + 55));
  EXPECT_EQ(*conv.integer->weights, *named(plain, "conv").integer->weights);
  for (int q = 0; q < 256; ++q) {
    const double value = apply(kSilu, double{conv.type.scale[0]} * (q - 55)) / silu.type.scale[0];
    EXPECT_EQ(static_cast<std::int8_t>(silu.integer->table[static_cast<std::size_t>(q)]),
              std::nearbyint(std::clamp(value, -127.0, 127.0)));
  }
}

// One of two functions is an output, which is float32: what it reads is converted, and Dequantize knows no zero point.
TEST(ZeroPoints, GoWhereATensorIsConverted) {
  GraphBuilder g("two");
  const int conv = g.conv2d("conv", g.input(6, 6, 3), 8, 3, 3, {.pad = Pad::kSame});
  const int hard = g.activate("hard", conv, kHardSilu), silu = g.activate("silu", conv, kSilu);
  Graph graph = g.finish(g.dense("logits", g.global_avg_pool("mean", hard), 4));
  graph.outputs.push_back({"silu", silu});
  test::bind_random(graph, 3);
  CalibrationTable table = table_of(graph);
  table.zero_point["conv"] = 55;
  table.range["conv"] = 10.0f;  // from -2.75
  const TensorType type = named(lower_static(graph, table, {}), "conv").type;
  EXPECT_EQ(type.dtype, DType::kS8);
  EXPECT_EQ(type.zero_point, 0);
  EXPECT_FLOAT_EQ(type.scale[0], 10.0f / 127);
}

// Such a layer takes its functions along.
TEST(ZeroPoints, GoWhereALayerIsLeftInFloat) {
  const Graph graph = with_functions();
  CalibrationTable table = table_of(graph);
  table.zero_point = {{"conv", 55}, {"wide", 100}};
  const Graph lowered = lower_static(graph, table, {.float_layers = {"conv"}});
  EXPECT_EQ(named(lowered, "conv").type.dtype, DType::kF32);
  EXPECT_EQ(named(lowered, "conv").type.zero_point, 0);
  EXPECT_EQ(named(lowered, "wide").type.zero_point, 100);
}

TEST(ZeroPoints, AreRefusedElsewhere) {
  const Graph graph = with_functions();
  const auto error = [&](const std::string& name, int point, const QuantOptions& options) -> std::string {
    CalibrationTable table = table_of(graph);
    table.zero_point[name] = point;
    try {
      lower_static(graph, table, options);
      return "none";
    } catch (const Error& refused) {
      return refused.what();
    }
  };
  for (const char* taker : {"conv", "silu", "wide", "hard", "mean"}) EXPECT_EQ(error(taker, 55, {}), "none");
  EXPECT_THAT(error("input", 55, {}), HasSubstr("a zero point for 'input' of functions, which cannot take it"));
  EXPECT_THAT(error("logits", 55, {}), HasSubstr("'logits'"));
  EXPECT_THAT(error("nowhere", 55, {}), HasSubstr("'nowhere'"));
  EXPECT_THAT(error("conv", 0, {}), HasSubstr("cannot take it"));
  EXPECT_THAT(error("conv", 255, {}), HasSubstr("cannot take it"));
  EXPECT_THAT(error("conv", 55, {.activations = DType::kS8}), HasSubstr("cannot take it"));
}

std::vector<std::string> takers_of(const Graph& graph) {
  const std::vector<bool> takers = zero_point_takers(graph);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < takers.size(); ++i) {
    if (takers[i]) names.push_back(graph.nodes[i].name);
  }
  return names;
}

// A gate is never negative, nor is the mean of what is not; sums of two, maxima and outputs know no zero point.
TEST(ZeroPoints, OfGatesAndWhatReadsThem) {
  GraphBuilder g("gates");
  const int silu = g.activate("silu", g.conv2d("conv", g.input(6, 6, 3), 8, 3, 3, {.pad = Pad::kSame}), kSilu);
  const int gate = g.activate("gate", g.conv2d("squeezed", g.global_avg_pool("mean", silu), 8, 1, 1, {}), kSigmoid);
  const int gated = g.binary("gated", BinaryKind::kMultiply, {silu, gate});
  const int hard = g.activate("hard", g.conv2d("next", gated, 8, 3, 3, {.pad = Pad::kSame}), kHardSilu);
  const int sum = g.add("sum", {hard, g.max_pool("peak", hard, 3, 1, Pad::kSame)});
  const int relu = g.relu("relu", g.avg_pool("average", sum, 2, 2));
  Graph graph = g.finish(g.dense("logits", g.global_avg_pool("last", relu), 4));
  test::bind_random(graph, 3);
  EXPECT_THAT(takers_of(lower_float(graph)), ElementsAre("conv", "silu", "mean", "squeezed", "gated", "next"));
}

}  // namespace
}  // namespace gpueval
