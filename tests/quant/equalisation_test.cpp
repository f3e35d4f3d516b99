// SPDX-License-Identifier: Apache-2.0
// Scales per channel are kept where images that did not choose them bear them out, and nowhere else.
#include "quant/recipe/equalisation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/random.h"
#include "gpueval/quant.h"
#include "gpueval/weights.h"
#include "quant/recipe/channel_scales.h"
#include "support/data_files.h"

namespace gpueval::test {
namespace {

constexpr float kLargest = 5.1f;

// Errors of a fold whose channel c has values spread evenly from 0 to most[c].
StepErrors errors_up_to(const std::vector<double>& most) {
  StepErrors errors(kClipSteps, std::vector<double>(most.size(), 0.0));
  for (int step = 0; step < kClipSteps; ++step) {
    const double scale = double{kLargest * clip_ratio(step)} / 255;
    for (std::size_t c = 0; c < most.size(); ++c) {
      for (int i = 1; i <= 1000; ++i) {
        const double x = most[c] * i / 1000, e = x - std::min(std::round(x / scale), 255.0) * scale;
        errors[static_cast<std::size_t>(step)][c] += e * e;
      }
    }
  }
  return errors;
}

const std::vector<double> kOnes(3, 1.0);

TEST(Equalisation, StepsAreThoseOfTheLeastError) {
  const BestSteps best = best_steps(errors_up_to({5.1, 2.55, 0}));
  EXPECT_EQ(best.tensor, 0);
  EXPECT_EQ(best.channel, (std::vector<int>{0, 8, 0}))
      << "2^(-8 / 8) is a half; a silent channel has no step of its own";
  EXPECT_EQ(step_of(best, 1, {0.5, 16}), 4);
  EXPECT_EQ(step_of(best, 1, {1, 2}), 2);
  EXPECT_EQ(step_of(best, 1, {}), 0);
}

TEST(Equalisation, GoesAllTheWayWhereEveryFoldAgrees) {
  const std::vector<StepErrors> folds(4, errors_up_to({5.1, 2.55, 0.6375}));
  EXPECT_EQ(choose_equalisation(folds, kOnes, 1), (Equalisation{1, 24}));
  EXPECT_EQ(choose_equalisation(folds, kOnes, 0.25), (Equalisation{0.25, 24}));
}

// One fold is enough, and so is one of its channels.
TEST(Equalisation, IsNoneWhereAFoldGoesBeyondTheOthers) {
  std::vector<StepErrors> folds(4, errors_up_to({5.1, 2.55, 0.6375}));
  EXPECT_EQ(choose_equalisation({folds[0]}, kOnes, 1), Equalisation{}) << "nothing to judge by";
  folds[2] = errors_up_to({5.1, 5.1, 5.1});
  EXPECT_EQ(choose_equalisation(folds, kOnes, 1), Equalisation{});
  folds[2] = errors_up_to({5.1, 2.55, 5.1});
  EXPECT_LE(choose_equalisation(folds, kOnes, 1).most_steps, 8) << "that of the channel that all folds agree on";
}

// A shy channel that counts for nothing does not keep another one from its scale.
TEST(Equalisation, WeighsChannelsByTheirImportance) {
  std::vector<StepErrors> folds(4, errors_up_to({5.1, 0.6375, 0.6375}));
  folds[2] = errors_up_to({5.1, 0.6375, 5.1});
  EXPECT_EQ(choose_equalisation(folds, kOnes, 1), Equalisation{});
  EXPECT_EQ(choose_equalisation(folds, std::vector<double>{1, 1, 0}, 1), (Equalisation{1, 24}));
}

TEST(ChannelScales, FollowTheirSteps) {
  const std::vector<StepErrors> folds(4, errors_up_to({5.1, 2.55, 0}));
  const Clips clips{.tensor = 5.1f, .largest = kLargest, .folds = folds};
  const std::vector<float> depthwise = channel_scales(clips, kOnes, true, true);
  EXPECT_FLOAT_EQ(depthwise[0], 0.02f);
  EXPECT_FLOAT_EQ(depthwise[1], 0.01f);
  EXPECT_FLOAT_EQ(depthwise[2], 0.02f) << "silent";
  EXPECT_FLOAT_EQ(channel_scales(clips, kOnes, false, true)[1], 0.02f * std::exp2(-0.25f));
  const Clips beyond{.tensor = 7, .largest = 7, .folds = folds}, single{.tensor = 5, .largest = 7, .folds = {folds[0]}};
  EXPECT_EQ(channel_scales(beyond, kOnes, true, true)[0], 6.0f / 255.0f) << "saturation is ReLU6's cut";
  EXPECT_FLOAT_EQ(channel_scales(beyond, kOnes, true, false)[0], 7.0f / 255.0f);
  EXPECT_EQ(channel_scales(single, kOnes, true, false), std::vector<float>(3, 5.0f / 255.0f));
}

constexpr int kImages = 24, kChannels = 8, kSize = 6;

// The tensor of "stem" is the image: every channel is copied. Read by a depthwise layer, which weighs channel 1 double.
Graph copying_network() {
  GraphBuilder g("copying");
  const int stem = g.relu("stem_relu", g.conv2d("stem", g.input(kSize, kSize, kChannels), kChannels, 1, 1, {}));
  const int depthwise = g.depthwise_conv2d("depthwise", stem, 1, {});
  Graph graph = random_weights(g.finish(g.dense("logits", g.global_avg_pool("mean", depthwise), 3)), 2);
  std::vector<float> identity(kChannels * kChannels, 0.0f), twos(kChannels, 1.0f);
  for (std::size_t c = 0; c < kChannels; ++c) identity[c * kChannels + c] = 1;
  twos[1] = 2;
  for (Param& param : graph.node(graph.find("stem")).params) {
    const bool kernel = param.role == Role::kKernel;
    param.array.data =
        std::make_shared<const std::vector<float>>(kernel ? identity : std::vector<float>(kChannels, 0.0f));
  }
  graph.node(graph.find("depthwise")).params[0].array.data = std::make_shared<const std::vector<float>>(twos);
  return graph;
}

// Channels have values up to 8, but for the odd ones: up to 0.25. Where those are shy, three images, the same for no
// two channels, have values up to 8 there, too.
CalibrationImages images(bool shy) {
  return [shy]() -> BatchSource {
    auto done = std::make_shared<int>(0);
    return [shy, done](std::vector<float>& batch, int most) {
      const int n = std::min(most, kImages - *done);
      batch.clear();
      for (int i = *done; i < *done + n; ++i) {
        Random random(static_cast<std::uint64_t>(i) + 1);
        for (int at = 0; at < kSize * kSize * kChannels; ++at) {
          const int c = at % kChannels;
          const bool small = c % 2 == 1 && !(shy && i / 3 == c);
          batch.push_back(static_cast<float>(random.uniform(0, small ? 0.25 : 8)));
        }
      }
      *done += n;
      return n;
    };
  };
}

CalibrationTable calibrated(bool shy, bool flips) {
  const QuantOptions options{.corrections = {.channel_scales = true, .clip_search = true, .flips = flips}};
  const Graph graph = copying_network();
  CalibrationTable table = calibrate(graph, images(shy), options);
  EXPECT_EQ(calibrate(graph, images(shy), options).channel_scale, table.channel_scale);
  check_table_layers(table, graph, options, "table.json");
  const TemporaryFolder folder;
  table.activations = "u8";  // the caller's
  table.images = kImages;
  save_table(table, folder / "t.json");
  EXPECT_EQ(load_table(folder / "t.json").channel_scale, table.channel_scale);
  return table;
}

TEST(ChannelScales, AreKeptWhereAllImagesAgree) {
  const std::vector<float> scales = calibrated(false, false).channel_scale.at("stem");
  for (std::size_t c = 1; c < kChannels; c += 2) EXPECT_NEAR(scales[c] / scales[0], 0.25 / 8, 0.01) << c;
}

TEST(ChannelScales, AreOneWhereOtherImagesGoBeyond) {
  for (const bool flips : {false, true}) {  // a mirrored copy is no other image
    const CalibrationTable table = calibrated(true, flips);
    EXPECT_EQ(table.channel_scale.at("stem"), std::vector<float>(kChannels, table.range.at("stem") / 255.0f)) << flips;
  }
}

TEST(ChannelScales, ImportanceIsOfTheWeightsThatAChannelMeets) {
  const Graph graph = lower_float(copying_network());
  const std::vector<double> own = channel_importance(graph, graph.consumers(), graph.find("stem"));
  const std::vector<double> expected = {1, 4, 1, 1, 1, 1, 1, 1};
  EXPECT_EQ(own, expected);
}

}  // namespace
}  // namespace gpueval::test
