// SPDX-License-Identifier: Apache-2.0
#include "cpu/lanes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include "core/threads.h"
#include "cpu/engine.h"
#include "gpueval/quant.h"
#include "support/test_networks.h"

namespace gpueval {
namespace {

using cpu::lane_steps;
using cpu::lanes_pay;
using cpu::LaneStep;
using cpu::steps_by_image;

constexpr std::int64_t kKilobyte = 1 << 10, kMegabyte = 1 << 20;

// Tensors shrink, weights grow: as in every one of the networks.
std::vector<LaneStep> usual_network() {
  return {{.weights = 4 * kKilobyte, .tensors = 1000 * kKilobyte, .bottleneck = true},
          {.weights = 36 * kKilobyte, .tensors = 400 * kKilobyte, .bottleneck = false},
          {.weights = 16 * kKilobyte, .tensors = 800 * kKilobyte, .bottleneck = true},
          {.weights = 600 * kKilobyte, .tensors = 300 * kKilobyte, .bottleneck = true},
          {.weights = 2000 * kKilobyte, .tensors = 200 * kKilobyte, .bottleneck = true}};
}

TEST(StepsByImage, EndWhereWeightsOutweighTensors) {
  EXPECT_EQ(steps_by_image(usual_network(), 16, 2, 2 * kMegabyte), 3);
  EXPECT_EQ(steps_by_image(usual_network(), 16, 1, 2 * kMegabyte), 3);
}

TEST(StepsByImage, NoneWithoutAnImageForEveryThread) {
  EXPECT_EQ(steps_by_image(usual_network(), 1, 1, 2 * kMegabyte), 0);
  EXPECT_EQ(steps_by_image(usual_network(), 3, 4, 2 * kMegabyte), 0);
  EXPECT_EQ(steps_by_image({}, 16, 2, 2 * kMegabyte), 0);
}

TEST(StepsByImage, AllWithOneImageAThread) {
  EXPECT_EQ(steps_by_image(usual_network(), 2, 2, 2 * kMegabyte), 5) << "no weights are read more often";
  std::vector<LaneStep> network = usual_network();
  network.back().dense = true;
  EXPECT_EQ(steps_by_image(network, 2, 2, 2 * kMegabyte), 4) << "the threads would share out a dense layer's weights";
}

TEST(StepsByImage, AllOrNoneWhereTheWeightsStayInTheCache) {
  EXPECT_EQ(steps_by_image(usual_network(), 16, 2, 8 * kMegabyte), 5);
  EXPECT_EQ(steps_by_image(usual_network(), 16, 1, 8 * kMegabyte), 0);
}

TEST(StepsByImage, EndBehindABottleneck) {
  std::vector<LaneStep> network = usual_network();
  network[2].bottleneck = false;
  EXPECT_EQ(steps_by_image(network, 16, 2, 2 * kMegabyte), 1);
}

TEST(StepsByImage, OneThreadFindsSmallBatchesInItsCache) {
  EXPECT_EQ(steps_by_image(usual_network(), 2, 1, 8 * kMegabyte), 0);
  EXPECT_EQ(steps_by_image(usual_network(), 2, 1, kMegabyte), 3);
}

TEST(LaneSteps, NameTheBottlenecks) {
  GraphBuilder g("branches");
  const int x = g.conv2d("stem", g.input(8, 8, 3), 4, 3, 3, {.pad = Pad::kSame});
  const int left = g.conv2d("left", x, 4, 1, 1, {}), right = g.conv2d("right", left, 4, 1, 1, {});
  const int sum = g.add("sum", {right, x});
  const Graph graph = g.finish(g.dense("logits", g.flatten("flat", sum), 10));
  const std::vector<LaneStep> steps = lane_steps(graph);
  const auto step = [&](const char* name) { return steps[static_cast<std::size_t>(graph.find(name)) - 1]; };
  EXPECT_TRUE(step("stem").bottleneck);
  EXPECT_FALSE(step("left").bottleneck) << "the sum reads the stem's tensor, too";
  EXPECT_FALSE(step("right").bottleneck);
  EXPECT_TRUE(step("sum").bottleneck);
  EXPECT_EQ(step("stem").weights, 3 * 3 * 3 * 4);
  EXPECT_EQ(step("sum").tensors, 3 * 8 * 8 * 4 * 4);
  EXPECT_FALSE(step("stem").dense);
  EXPECT_TRUE(step("logits").dense);
  EXPECT_EQ(step("logits").weights, 8 * 8 * 4 * 10);
}

TEST(LanesPay, OnlyWithAnImageForEveryThread) {
  const cpu::LaneWork work{.batch = 2, .threads = 2, .multiply_adds = 3'900'000'000, .dense_bytes = 2'048'000};
  EXPECT_TRUE(lanes_pay(work, kMegabyte));
  EXPECT_FALSE(lanes_pay({1, 2, work.multiply_adds, work.dense_bytes}, kMegabyte));
  EXPECT_FALSE(lanes_pay({3, 4, work.multiply_adds, work.dense_bytes}, kMegabyte));
  EXPECT_FALSE(lanes_pay({8, 1, work.multiply_adds, work.dense_bytes}, kMegabyte));
}

TEST(LanesPay, LargeDenseLayersAreReadOncePerBatch) {
  EXPECT_FALSE(lanes_pay({16, 2, 15'500'000'000, 123'600'000}, kMegabyte)) << "VGG16's";
  EXPECT_TRUE(lanes_pay({16, 2, 41'000'000, 256'000}, kMegabyte)) << "MobileNet 0.25's stay in the cache";
  EXPECT_FALSE(lanes_pay({16, 2, 41'000'000, 256'000}, kMegabyte / 8));
}

TEST(LaneDepth, NoneWhereTheOutputIsNotTheLastNode) {
  GraphBuilder g("tail");
  const int x = g.conv2d("x", g.input(8, 8, 3), 4, 3, 3, {.pad = Pad::kSame});
  const int out = g.dense("logits", g.flatten("flat", x), 10);
  EXPECT_GT(cpu::lane_depth(GraphBuilder(g).finish(out), 4, 2, kMegabyte), 0);
  g.conv2d("unread", x, 4, 1, 1, {});
  EXPECT_EQ(cpu::lane_depth(g.finish(out), 4, 2, kMegabyte), 0);
}

class LanesRun : public testing::Test {
 protected:
  void TearDown() override { set_threads(0); }
};

// Whole rounds of images go through the lanes, the rest through all threads: the same bits as one image alone gives,
// for every count of images, and nothing is written behind the last image's logits.
TEST_F(LanesRun, EqualsSingleImagesForEveryCount) {
  Graph bound = test::everything(Activation::kRelu6);
  test::bind_random(bound, 1);
  const Graph graph = test::quantized(bound, DType::kU8);
  constexpr int kBatch = 5;
  const std::vector<float> images = test::random_images(bound, kBatch, 78);
  const auto classes = static_cast<std::size_t>(graph.output_node().shape.c), pixels = images.size() / kBatch;
  set_threads(1);
  const auto single = cpu::make_cpu_engine(graph, {.batch = 1});
  std::vector<float> expected(kBatch * classes);
  for (std::size_t i = 0; i < kBatch; ++i) {
    single->run(std::span(images).subspan(i * pixels, pixels), 1, std::span(expected).subspan(i * classes, classes));
  }
  for (const int workers : {2, 3}) {
    set_threads(workers);
    ASSERT_GT(cpu::lane_depth(graph, kBatch, workers, kMegabyte), 0);
    const auto engine = cpu::make_cpu_engine(graph, {.batch = kBatch});
    for (int n = 1; n <= kBatch; ++n) {
      const std::size_t used = static_cast<std::size_t>(n) * classes;
      std::vector<float> logits(kBatch * classes, -77.0f);
      engine->run(images, n, logits);
      for (std::size_t i = 0; i < logits.size(); ++i) {
        ASSERT_EQ(logits[i], i < used ? expected[i] : -77.0f) << workers << " threads, " << n << " images, logit " << i;
      }
    }
  }
}

// float32 lanes run oneDNN's primitives of one image, which may sum in another order; also for counts that are no
// whole round, and with whole batches (run_tapped) between them.
TEST_F(LanesRun, Float32IsOneThreadsButForRounding) {
  Graph bound = test::everything(Activation::kRelu6);
  test::bind_random(bound, 1);
  const Graph graph = lower_float(bound);
  constexpr int kBatch = 5;
  const std::vector<float> images = test::random_images(bound, kBatch, 78);
  const auto classes = static_cast<std::size_t>(graph.output_node().shape.c);
  set_threads(1);
  std::vector<float> expected(kBatch * classes);
  cpu::make_cpu_engine(graph, {.batch = kBatch})->run(images, kBatch, expected);
  float largest = 0;
  for (const float x : expected) largest = std::max(largest, std::abs(x));
  for (const int workers : {2, 3}) {
    set_threads(workers);
    ASSERT_EQ(cpu::lane_depth(graph, kBatch, workers, kMegabyte), static_cast<int>(graph.nodes.size()) - 1);
    const auto engine = cpu::make_cpu_engine(graph, {.batch = kBatch});
    EXPECT_GT(engine->arena_bytes(), cpu::make_cpu_engine(graph, {.batch = 1})->arena_bytes() * kBatch);
    for (int n = 1; n <= kBatch; ++n) {
      const std::size_t used = static_cast<std::size_t>(n) * classes;
      for (const bool whole : {false, true}) {
        std::vector<float> logits(kBatch * classes, -77.0f);
        if (whole) {
          engine->run_tapped(images, n, logits, [](int, const TensorView&) {});
        } else {
          engine->run(images, n, logits);
        }
        for (std::size_t i = 0; i < logits.size(); ++i) {
          const float want = i < used ? expected[i] : -77.0f, bound_of_error = i < used ? 1e-5f * largest : 0;
          ASSERT_TRUE(std::abs(logits[i] - want) <= bound_of_error)
              << workers << " threads, " << n << " images, logit " << i << ": " << logits[i] << ", not " << want;
        }
      }
    }
  }
}

// Wherever the lanes may end, every later tensor has the bits that it has without them.
TEST_F(LanesRun, MayEndBehindEveryBottleneck) {
  Graph bound = test::everything(Activation::kRelu6);
  test::bind_random(bound, 2);
  const Graph graph = test::quantized(bound, DType::kU8);
  constexpr int kImages = 4;
  const std::vector<float> images = test::random_images(bound, kImages, 79);
  set_threads(2);
  std::vector<std::unique_ptr<cpu::Step>> steps;
  for (int node = 1; node < static_cast<int>(graph.nodes.size()); ++node) {
    steps.push_back(cpu::make_step({graph, node, kImages, ""}));
  }
  const auto logits = [&](const cpu::Tensors& tensors) {
    const TensorView out = tensors.view(graph.output(), kImages);
    const auto* values = static_cast<const float*>(out.data);
    return std::vector<float>(values, values + out.shape.elements());
  };
  cpu::Tensors plain(graph, kImages);
  plain.set_input(images.data());
  for (const auto& step : steps) step->run(plain, kImages);
  const std::vector<float> expected = logits(plain);
  const std::vector<LaneStep> moves = lane_steps(graph);
  int ends = 0;
  for (int end = 1; end <= static_cast<int>(steps.size()); ++end) {
    if (!moves[static_cast<std::size_t>(end) - 1].bottleneck) continue;
    ++ends;
    cpu::Lanes lanes(graph, 2, end);
    const cpu::Tensors batch(graph, kImages);
    ASSERT_EQ(lanes.run(steps, images.data(), kImages, false, batch), kImages);
    for (std::size_t i = static_cast<std::size_t>(end); i < steps.size(); ++i) steps[i]->run(batch, kImages);
    EXPECT_EQ(logits(batch), expected) << "behind '" << graph.node(end).name << "'";
  }
  EXPECT_GT(ends, 5);
}

}  // namespace
}  // namespace gpueval
