// SPDX-License-Identifier: Apache-2.0
// calibrate() on a small random network with every kind of layer: residual add, depthwise, concat, pools, dead channel.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/random.h"
#include "cpu/engine.h"
#include "gpueval/quant.h"
#include "gpueval/weights.h"
#include "graph/passes.h"
#include "quant/calibrators/calibrators.h"
#include "quant/lowering.h"
#include "quant/recipe/images.h"
#include "support/data_files.h"

namespace gpueval::test {
namespace {

constexpr int kImages = 12, kSize = 14;

Graph network() {
  GraphBuilder g("small");
  const int stem =
      g.relu6("stem_relu", g.conv2d("stem", g.input(kSize, kSize, 3), 8, 3, 3, {.stride = 2, .pad = Pad::kSame}));
  const int dw = g.relu6("dw_relu", g.depthwise_conv2d("dw", stem, 3, {.pad = Pad::kSame}));
  const int pw = g.relu("pw_relu", g.conv2d("pw", dw, 12, 1, 1, {}));
  const int left = g.relu("left_relu", g.conv2d("left", pw, 12, 3, 3, {.pad = Pad::kSame}));
  const int right = g.conv2d("right", left, 12, 1, 1, {});
  const int sum = g.relu("sum_relu", g.add("sum", {right, pw}));
  const int pool = g.avg_pool("pool", sum, 3, 1, Pad::kSame);
  const int side = g.conv2d("side", sum, 5, 1, 1, {});
  const int join = g.concat("join", {pool, side});
  Graph graph = random_weights(g.finish(g.dense("logits", g.global_avg_pool("mean", join), 10)), 5);
  // A dead channel, as folded batch norm leaves them.
  Node& conv = graph.node(graph.find("pw"));
  std::vector<float> kernel = *conv.params[0].array.data;
  for (std::size_t i = 0; i < kernel.size(); i += 12) kernel[i] = 1e-14f;
  conv.params[0].array.data = std::make_shared<const std::vector<float>>(kernel);
  return graph;
}

Graph network_with_outputs() {
  Graph graph = network();
  graph.outputs = {{"early", graph.find("dw_relu")}, {"sum", graph.find("sum_relu")}, {"side", graph.find("side")}};
  graph.outputs.push_back({"logits", graph.find("logits")});
  return graph;
}

std::vector<float> pixels() {
  Random random(11);
  std::vector<float> values(static_cast<std::size_t>(kImages * kSize * kSize * 3));
  for (float& x : values) x = static_cast<float>(random.uniform(-1, 1));
  return values;
}

CalibrationImages images() {
  return []() -> BatchSource {
    auto left = std::make_shared<int>(0);
    return [left](std::vector<float>& batch, int most) {
      static const std::vector<float> kPixels = pixels();
      constexpr int kImage = kSize * kSize * 3;
      const int n = std::min(most, kImages - *left);
      batch.assign(kPixels.begin() + *left * kImage, kPixels.begin() + (*left + n) * kImage);
      *left += n;
      return n;
    };
  };
}

std::vector<float> logits(const Graph& lowered, const CalibrationImages& source) {
  const auto engine = cpu::make_cpu_engine(lowered, {.batch = 4, .kernel = {}});
  std::vector<float> all, input, batch(40);
  const BatchSource next = source();
  while (const int n = next(input, 4)) {
    engine->run(input, n, batch);
    all.insert(all.end(), batch.begin(), batch.begin() + 10 * n);
  }
  return all;
}

double squared_error(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i] - b[i]} * (a[i] - b[i]);
  return sum;
}

QuantOptions best() { return {.scheme = Scheme::kBest, .corrections = default_corrections(Scheme::kBest)}; }

TEST(Calibrate, WithoutCorrectionsIsTheSchemeAlone) {
  const Graph graph = network();
  const auto engine = cpu::make_cpu_engine(lower_float(graph), {.batch = 8, .kernel = {}});
  const CalibrationTable table = calibrate(graph, images(), {});
  EXPECT_EQ(table.range, observe_ranges(*engine, images()(), 8));
  EXPECT_TRUE(table.channel_scale.empty());
  EXPECT_TRUE(table.corrections.empty());
  for (const Scheme scheme : {Scheme::kPercentile, Scheme::kEntropy, Scheme::kMse}) {
    const QuantOptions options{.scheme = scheme};
    EXPECT_EQ(calibrate(graph, images(), options).range, calibrated_ranges(*engine, images(), 8, options));
  }
}

TEST(Calibrate, BestIsCloserThanMaxAbsAndDeterministic) {
  const Graph graph = network();
  const std::vector<float> exact = logits(lower_float(graph), images());
  const CalibrationTable first = calibrate(graph, images(), best()), second = calibrate(graph, images(), best());
  EXPECT_EQ(first.range, second.range);
  EXPECT_EQ(first.channel_scale, second.channel_scale);
  EXPECT_EQ(first.corrections, second.corrections);
  EXPECT_EQ(first.corrections.size(), 7u);
  const CalibrationTable plain = calibrate(graph, images(), {});
  EXPECT_LT(squared_error(logits(lower_static(graph, first, best()), images()), exact),
            0.7 * squared_error(logits(lower_static(graph, plain, {}), images()), exact));
}

TEST(Calibrate, EveryOptionGivesATableThatLowers) {
  const Graph graph = network();
  std::vector<QuantOptions> all(6, best());
  all[0].activations = DType::kS8;
  all[1].weights_per_channel = false;
  all[2].corrections = {};
  all[2].weights_per_channel = false;
  all[3].float_layers = {"dw", "right"};
  all[4].corrections.clip_search = false;
  all[5].corrections.flips = true;
  for (const QuantOptions& options : all) {
    for (const float x : logits(lower_static(graph, calibrate(graph, images(), options), options), images())) {
      ASSERT_TRUE(std::isfinite(x));
    }
  }
}

double error_of_output(const Graph& lowered, std::size_t output) {
  const auto exact = cpu::make_cpu_engine(lower_float(network_with_outputs()), {.batch = kImages}),
             engine = cpu::make_cpu_engine(lowered, {.batch = kImages});
  const OutputBuffers want(exact->graph(), kImages), got(lowered, kImages);
  exact->run(pixels(), kImages, want);
  engine->run(pixels(), kImages, got);
  double error = 0;
  for (std::size_t i = 0; i < got[output].size(); ++i) error += std::pow(double{got[output][i]} - want[output][i], 2);
  return error;
}

// The recipe corrects what is in front of each output, and the table is one of this network.
TEST(Calibrate, BestIsCloserThanMaxAbsInEveryOutput) {
  const Graph graph = network_with_outputs();
  const CalibrationTable table = calibrate(graph, images(), best()), plain = calibrate(graph, images(), {});
  check_table_layers(table, graph, best(), "table.json");
  EXPECT_FALSE(table.channel_scale.contains("dw")) << "an output has one scale";
  EXPECT_TRUE(table.channel_scale.contains("stem"));
  const Graph ours = lower_static(graph, table, best()), theirs = lower_static(graph, plain, {});
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    EXPECT_LT(error_of_output(ours, i), 0.9 * error_of_output(theirs, i)) << graph.outputs[i].name;
  }
}

TEST(Calibrate, OneScaleForAllWeightsOfALayer) {
  const Graph graph = network();
  QuantOptions options;
  options.weights_per_channel = false;
  for (const auto& [name, correction] : calibrate(graph, images(), options).corrections) {
    EXPECT_EQ(std::count(correction.weight_scale.begin(), correction.weight_scale.end(), correction.weight_scale[0]),
              std::ssize(correction.weight_scale))
        << name;
  }
}

// The last layer's output: float32 in both networks, so that its mean error is seen in full. The bias is a whole number
// of accumulator steps.
TEST(Calibrate, BiasCorrectionMakesTheMeanErrorZeroToHalfAStep) {
  const Graph graph = network();
  const std::vector<float> exact = logits(lower_float(graph), images());
  const auto mean_errors = [&](const Graph& lowered) {
    const std::vector<float> q = logits(lowered, images());
    std::vector<double> mean(10, 0.0);
    for (std::size_t i = 0; i < q.size(); ++i) mean[i % 10] += (double{q[i]} - exact[i]) / kImages;
    return mean;
  };
  double worst_before = 0;
  for (const double e : mean_errors(lower_static(graph, calibrate(graph, images(), {}), {})))
    worst_before = std::max(worst_before, std::abs(e));
  const QuantOptions options{.corrections = {.bias = true}};
  const Graph lowered = lower_static(graph, calibrate(graph, images(), options), options);
  const std::vector<float>& step = lowered.output_node().integer->m;
  const std::vector<double> after = mean_errors(lowered);
  for (std::size_t k = 0; k < after.size(); ++k) {
    EXPECT_LE(std::abs(after[k]), step[k] / 2 + 1e-6) << k;
    EXPECT_GT(worst_before, 5 * step[k]) << k;
  }
}

TEST(Calibrate, FittedBiasesAreWholeAccumulatorSteps) {
  const Graph graph = network();
  const CalibrationTable table = calibrate(graph, images(), best());
  const Graph lowered = lower_static(graph, table, best());
  int checked = 0;
  for (const Node& node : lowered.nodes) {
    if (!table.corrections.contains(node.name)) continue;
    for (std::size_t k = 0; k < node.integer->m.size(); ++k) {
      const double steps = double{node.integer->b[k]} / double{node.integer->m[k]};
      if (std::abs(steps) >= 1 << 16) continue;  // a dead channel: float32 does not resolve its steps
      EXPECT_NEAR(steps, std::nearbyint(steps), 1e-6 * std::max(1.0, std::abs(steps))) << node.name << " " << k;
      ++checked;
    }
  }
  EXPECT_GT(checked, 50);
}

TEST(Calibrate, TableAloneReproducesTheNetwork) {
  const Graph graph = network();
  CalibrationTable table = calibrate(graph, images(), best());
  table.activations = "u8";  // the caller's
  table.images = 1;
  const TemporaryFolder folder;
  save_table(table, folder / "t.json");
  EXPECT_EQ(logits(lower_static(graph, load_table(folder / "t.json"), best()), images()),
            logits(lower_static(graph, table, best()), images()));
}

TEST(Calibrate, RefusesWhatItDoesNotHave) {
  const auto usage = [](const QuantOptions& options) {
    try {
      calibrate(network(), images(), options);
    } catch (const Error& error) {
      return error.kind() == ErrorKind::kUsage;
    }
    return false;
  };
  EXPECT_TRUE(usage({.scheme = Scheme::kReference}));
  EXPECT_TRUE(usage({.corrections = {.asymmetric = true}}));
  EXPECT_TRUE(usage({.corrections = {.bias = true, .analytic_bias = true}}));
  EXPECT_TRUE(usage({.corrections = {.analytic_bias = true}})) << "the network has no batch norm";
}

TEST(Calibrate, NamesLayersTooDeepForGptq) {
  GraphBuilder g("deep");
  const int wide = g.relu("relu", g.conv2d("conv", g.input(49, 49, 2), 2, 3, 3, {.pad = Pad::kSame}));
  const Graph graph = random_weights(g.finish(g.dense("logits", g.flatten("flat", wide), 3)), 1);
  EXPECT_EQ(uncompensated_layers(graph, best()), std::vector<std::string>{"logits"}) << "4,802 inputs";
  EXPECT_TRUE(uncompensated_layers(graph, {}).empty()) << "nothing asks for gptq";
  EXPECT_TRUE(uncompensated_layers(network(), best()).empty());
  QuantOptions left = best();
  left.float_layers = {"logits"};
  EXPECT_TRUE(uncompensated_layers(graph, left).empty());
}

// Scales per channel divide in one layer and multiply in the next: on unrounded weights nothing changes, so what
// changes is rounding alone, and for finer scales less of it.
TEST(ChannelScales, KeepTheFunction) {
  const Graph graph = network();
  QuantOptions options;
  const CalibrationTable plain = calibrate(graph, images(), options);
  options.corrections.channel_scales = true;
  const CalibrationTable scaled = calibrate(graph, images(), options);
  EXPECT_EQ(scaled.range, plain.range);
  EXPECT_TRUE(scaled.channel_scale.contains("stem"));   // read by a depthwise layer
  EXPECT_TRUE(scaled.channel_scale.contains("dw"));     // by a pointwise one
  EXPECT_FALSE(scaled.channel_scale.contains("pw"));    // a residual too
  EXPECT_FALSE(scaled.channel_scale.contains("side"));  // a concat
  const std::vector<float> exact = logits(lower_float(graph), images());
  double signal = 0;
  for (const float x : exact) signal += double{x} * x;
  EXPECT_LT(squared_error(logits(lower_static(graph, scaled, options), images()), exact), 0.01 * signal);
}

TEST(Flips, MirrorEveryRowAndComeLast) {
  const CalibrationImages both = with_flips(images(), {1, kSize, kSize, 3});
  std::vector<float> all, batch;
  const BatchSource next = both();
  while (next(batch, 5) > 0) all.insert(all.end(), batch.begin(), batch.end());
  const std::vector<float> once = pixels();
  ASSERT_EQ(all.size(), 2 * once.size());
  for (std::size_t i = 0; i < once.size(); ++i) {
    const std::size_t c = i % 3, w = i / 3 % kSize, row = i / 3 / kSize;
    ASSERT_EQ(all[i], once[i]);
    ASSERT_EQ(all[once.size() + (row * kSize + kSize - 1 - w) * 3 + c], once[i]);
  }
}

// A convolution in groups is rounded as its groups are when each is a layer of its own.
TEST(Calibrate, GroupsAreRoundedEachOnItsOwnChannels) {
  GraphBuilder g("groups");
  const int stem = g.relu("stem_relu", g.conv2d("stem", g.input(kSize, kSize, 3), 8, 3, 3, {}));
  const int wide = g.relu("wide_relu", g.conv2d("wide", stem, 12, 3, 3, {.pad = Pad::kSame, .groups = 4}));
  const Graph graph = random_weights(g.finish(g.dense("logits", g.global_avg_pool("mean", wide), 10)), 5);
  const QuantOptions options{.scheme = Scheme::kBest, .corrections = {.gptq = true}};
  const auto whole = calibrate(graph, images(), options).corrections;
  auto parts = calibrate(expand_groups(graph), images(), options).corrections;
  std::vector<std::int8_t> weights;
  std::vector<float> scale;
  for (const char* name : {"wide/group1", "wide/group2", "wide/group3", "wide/group4"}) {
    const LayerCorrection& own = parts[name];
    weights.insert(weights.end(), own.weights.begin(), own.weights.end());
    scale.insert(scale.end(), own.weight_scale.begin(), own.weight_scale.end());
  }
  EXPECT_EQ(whole.at("wide").weights, weights);
  EXPECT_EQ(whole.at("wide").weight_scale, scale);
  EXPECT_NE(weights,
            quantize_weights(graph.node(graph.find("wide")), weight_scale_per_channel(graph.node(graph.find("wide")))));
}

}  // namespace
}  // namespace gpueval::test
