// SPDX-License-Identifier: Apache-2.0
#include "cpu/lanes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/threads.h"
#include "cpu/engine.h"
#include "gpueval/quant.h"
#include "support/test_networks.h"

namespace gpueval {
namespace {

using cpu::lanes_pay;

constexpr std::int64_t kMegabyte = 1 << 20;

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

class LanesRun : public testing::Test {
 protected:
  void TearDown() override { set_threads(0); }
};

// Whole rounds of images go through the lanes, the rest through all threads: the same bits as one thread gives, for
// every count of images, and nothing is written behind the last image's logits.
TEST_F(LanesRun, EqualsOneThreadForEveryCount) {
  Graph bound = test::everything(Activation::kRelu6);
  test::bind_random(bound, 1);
  const Graph graph = test::quantized(bound, DType::kU8);
  constexpr int kBatch = 5;
  const std::vector<float> images = test::random_images(bound, kBatch, 78);
  const auto classes = static_cast<std::size_t>(graph.output_node().shape.c);
  ASSERT_TRUE(lanes_pay(cpu::lane_work(graph, kBatch, 2), kMegabyte));
  set_threads(1);
  const auto single = cpu::make_cpu_engine(graph, {.batch = kBatch});
  std::vector<float> expected(kBatch * classes);
  single->run(images, kBatch, expected);
  for (const int workers : {2, 3}) {
    set_threads(workers);
    const auto engine = cpu::make_cpu_engine(graph, {.batch = kBatch});
    EXPECT_GT(engine->arena_bytes(), single->arena_bytes()) << "the lanes have arenas of their own";
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
    ASSERT_TRUE(lanes_pay(cpu::lane_work(graph, kBatch, workers), kMegabyte));
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

}  // namespace
}  // namespace gpueval
