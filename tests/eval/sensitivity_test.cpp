// SPDX-License-Identifier: Apache-2.0
#include "gpueval/sensitivity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "core/random.h"
#include "gpueval/error.h"
#include "support/array_images.h"
#include "support/test_networks.h"

namespace gpueval {
namespace {

constexpr int kSide = 8, kImages = 40, kCalibration = 24;

// Random weights; "bad" is a depthwise layer whose channels differ by a factor of 300, so that one scale for its tensor
// leaves most channels a few levels (what ails MobileNet).
Graph network() {
  GraphBuilder g("sensitive");
  int x = g.relu("first_relu", g.conv2d("first", g.input(kSide, kSide, 3), 8, 3, 3, {.pad = Pad::kSame}));
  x = g.depthwise_conv2d("bad", x, 3, {.pad = Pad::kSame, .bias = false});
  x = g.relu("third_relu", g.conv2d("third", x, 12, 1, 1, {}));
  x = g.relu("fourth_relu", g.conv2d("fourth", x, 12, 3, 3, {.pad = Pad::kSame}));
  Graph graph = g.finish(g.dense("logits", g.global_avg_pool("mean", x), 10));
  Random random(4);
  for (Node& node : graph.nodes) {
    for (Param& param : node.params) {
      std::vector<float> values(static_cast<std::size_t>(param.array.elements()));
      for (float& v : values) v = static_cast<float>(random.normal() * 0.3);
      // Channel 0 of "bad" is large, and "third" takes little of it.
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (node.name == "bad" && i % 8 == 0) values[i] *= 300;
        if (node.name == "third" && param.role == Role::kKernel && i < 12) values[i] /= 300;
      }
      param.array.data = std::make_shared<const std::vector<float>>(std::move(values));
    }
  }
  return graph;
}

// Images [first, first + count) of an endless stream.
std::vector<float> images(int first, int count) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) {
    Random random(static_cast<std::uint64_t>(first + i + 1));
    for (int j = 0; j < kSide * kSide * 3; ++j) values.push_back(static_cast<float>(random.uniform(-1, 1)));
  }
  return values;
}

test::ArrayImages judged(int first, int count, std::vector<int> labels = {}) {
  return {{1, kSide, kSide, 3}, images(first, count), std::move(labels)};
}

class SensitivityOfLayers : public testing::Test {
 protected:
  void SetUp() override {
    const auto engine = make_engine("cpu", lower_float(bound_), {kCalibration, ""});
    table_.range =
        observe_ranges(*engine, test::calibration_images(images(0, kCalibration), kCalibration)(), kCalibration);
    // The float32 network's own answers are the labels, so its top-1 is 1 and a loss is a disagreement.
    std::vector<float> logits(kImages * 10);
    make_engine("cpu", lower_float(bound_), {kImages, ""})->run(images(kCalibration, kImages), kImages, logits);
    std::vector<int> labels;
    for (auto at = logits.begin(); at != logits.end(); at += 10)
      labels.push_back(static_cast<int>(std::max_element(at, at + 10) - at));
    judged_.emplace(judged(kCalibration, kImages, labels));
    how_.device = "cpu";
    how_.batch = 16;
  }
  Trials trials_of(const test::ArrayImages& images) {
    return {bound_, table_, {}, {images, images.preprocessing()}, how_};
  }

  Graph bound_ = network();
  CalibrationTable table_;
  std::optional<test::ArrayImages> judged_;
  SensitivityOptions how_;
};

TEST_F(SensitivityOfLayers, TheBadLayerComesFirst) {
  int last_done = 0, calls = 0;
  how_.progress = [&](int done, int total) {
    EXPECT_EQ(done, ++calls);
    EXPECT_EQ(total, 11);
    last_done = done;
  };
  Trials trials = trials_of(*judged_);
  EXPECT_EQ(trials.float32().images, kImages);
  EXPECT_EQ(trials.float32_headline(), 1.0);
  const Sensitivity result = measure_sensitivity(trials);
  EXPECT_EQ(last_done, 11);  // all int8, then twice for each of five layers
  ASSERT_EQ(result.layers.size(), 5u);
  std::set<std::string> names;
  for (const LayerSensitivity& layer : result.layers) {
    names.insert(layer.name);
    EXPECT_EQ(layer.alone.headline, layer.alone.agreement);  // by the choice of labels
  }
  EXPECT_EQ(names, (std::set<std::string>{"first", "bad", "third", "fourth", "logits"}));
  // "third" reads the tensor of "bad": its being int8 quantizes that tensor as well.
  EXPECT_TRUE(result.layers[0].name == "bad" || result.layers[0].name == "third") << result.layers[0].name;
  EXPECT_TRUE(result.layers[1].name == "bad" || result.layers[1].name == "third") << result.layers[1].name;
  for (std::size_t i = 2; i < 5; ++i) EXPECT_GT(result.layers[i].alone.sqnr_db, result.layers[1].alone.sqnr_db + 6);
}

// The trials are the networks that lower_static makes, judged on all images in order, whatever the batch.
TEST_F(SensitivityOfLayers, TrialsAreTheMixedNetworks) {
  Trials trials = trials_of(*judged_);
  const Sensitivity result = measure_sensitivity(trials);
  const std::vector<float> batch = images(kCalibration, kImages);
  const auto logits_of = [&](const Graph& graph) {
    std::vector<float> logits(kImages * 10);
    make_engine("cpu", graph, {kImages, ""})->run(batch, kImages, logits);
    return logits;
  };
  const std::vector<float> exact = logits_of(lower_float(bound_));
  for (const LayerSensitivity& layer : result.layers) {
    QuantOptions options;
    options.float_layers = {layer.name};
    const std::vector<float> mixed = logits_of(lower_static(bound_, table_, options));
    double signal = 0, noise = 0;
    for (std::size_t i = 0; i < kImages; ++i) {
      double mean_exact = 0, mean_mixed = 0;
      for (std::size_t k = 0; k < 10; ++k) {
        mean_exact += exact[i * 10 + k] / 10;
        mean_mixed += mixed[i * 10 + k] / 10;
      }
      for (std::size_t k = 0; k < 10; ++k) {
        const double f = exact[i * 10 + k] - mean_exact, x = mixed[i * 10 + k] - mean_mixed;
        signal += f * f;
        noise += (f - x) * (f - x);
      }
    }
    EXPECT_NEAR(layer.rest.sqnr_db, 10 * std::log10(signal / noise), 0.01) << layer.name;
  }
}

TEST_F(SensitivityOfLayers, LabelsMustBeClasses) {
  const test::ArrayImages others = judged(kCalibration, 2, {1, 10});
  EXPECT_THROW(trials_of(others), Error);
}

TEST_F(SensitivityOfLayers, FewestLayersThatReachTheTarget) {
  Trials trials = trials_of(*judged_);
  const Sensitivity ranking = measure_sensitivity(trials);
  const double loss_of_int8 = 1 - *ranking.all_int8.headline;
  ASSERT_GT(loss_of_int8, 0.05) << "the network must lose something to be tested";
  // What int8 already reaches needs no layer.
  const MixedPrecision none = find_mixed_precision(trials, ranking, loss_of_int8);
  EXPECT_TRUE(none.float_layers.empty());
  EXPECT_EQ(none.loss, loss_of_int8);
  // A bit less than that takes some layers; each of them is needed, and the loss is the mixed network's own.
  const double target = loss_of_int8 / 2;
  const MixedPrecision some = find_mixed_precision(trials, ranking, target);
  EXPECT_LE(some.loss, target);
  ASSERT_FALSE(some.float_layers.empty());
  EXPECT_LT(some.float_layers.size(), 5u);
  EXPECT_NEAR(some.loss, 1 - some.trial.agreement, 1e-12);
  // No loss at all: every layer in float32 reaches it in the end.
  const MixedPrecision exact = find_mixed_precision(trials, ranking, 0);
  EXPECT_LE(exact.loss, 0);
  EXPECT_GE(exact.float_layers.size(), some.float_layers.size());
  EXPECT_THROW(find_mixed_precision(trials, ranking, -0.01), Error);
  EXPECT_THROW(find_mixed_precision(trials, ranking, NAN), Error);
}

// The choice is judged on images that it never saw: their own float32 top-1, their own losses.
// Other images that had no part in the choice have their own float32 top-1 and their own losses.
TEST_F(SensitivityOfLayers, OtherImagesJudgeTheChoice) {
  Trials same = trials_of(*judged_);
  const Sensitivity ranking = measure_sensitivity(same);
  const std::vector<std::string> mixed{ranking.layers[0].name};
  EXPECT_EQ(same.measure(mixed).sqnr_db, ranking.layers[0].rest.sqnr_db);
  // Labels that float32 never gives: it is always wrong, and nothing can be lost.
  std::vector<int> wrong(30, 0);
  std::vector<float> logits(30 * 10);
  make_engine("cpu", lower_float(bound_), {30, ""})->run(images(kCalibration + kImages, 30), 30, logits);
  for (std::size_t i = 0; i < 30; ++i) {
    const auto at = logits.begin() + static_cast<std::ptrdiff_t>(10 * i);
    wrong[i] = static_cast<int>(std::min_element(at, at + 10) - at);
  }
  const test::ArrayImages mislabelled = judged(kCalibration + kImages, 30, wrong);
  Trials other = trials_of(mislabelled);
  EXPECT_EQ(other.float32().images, 30);
  EXPECT_EQ(other.float32_headline(), 0.0);
  const Trial int8 = other.measure({}), trial = other.measure(mixed);
  EXPECT_NE(trial.sqnr_db, ranking.layers[0].rest.sqnr_db);
  EXPECT_GT(trial.sqnr_db, int8.sqnr_db);
  EXPECT_EQ(other.loss(trial), -*trial.headline);
}

TEST_F(SensitivityOfLayers, NoImageIsAnError) {
  const test::ArrayImages none = judged(0, 0);
  EXPECT_THROW(trials_of(none), Error);
}

TEST_F(SensitivityOfLayers, NoLayerToRankIsAnError) {
  GraphBuilder g("pools");
  const Graph bound = g.finish(g.global_avg_pool("mean", g.relu("relu", g.input(kSide, kSide, 3))));
  const test::ArrayImages images = judged(kCalibration, 2);
  Trials trials(bound, table_, {}, {images, images.preprocessing()}, how_);
  try {
    measure_sensitivity(trials);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "pools: it has no convolution or dense layer to rank");
  }
}

}  // namespace
}  // namespace gpueval
