// SPDX-License-Identifier: Apache-2.0
// Networks with several named outputs on the device: replayed as a graph, pass by pass, and loaded apart.
#include <gtest/gtest.h>

#include "engine_case.h"
#include "gpueval/quant.h"
#include "support/several_outputs.h"

namespace gpueval::cuda {
namespace {

constexpr int kBatch = 3;

class DeviceOutputs : public DeviceTest {
 protected:
  void expect_reference(const Graph& graph, bool whole_pixels = false) const {
    const auto device = engine(graph, {.batch = kBatch});
    for (const int n : {kBatch, 1, kBatch}) {
      const std::vector<float> images = whole_pixels ? test::whole_images(graph, n) : test::random_images(graph, n, 9);
      test::expect_reference_outputs(*device, graph, images, n);
    }
  }
};

TEST_P(DeviceOutputs, OfFloat32EqualTheReference) { expect_reference(lower_float(test::several_outputs()), true); }

TEST_P(DeviceOutputs, OfInt8EqualTheReference) {
  expect_reference(test::quantized(test::several_outputs(), DType::kU8));
}

TEST_P(DeviceOutputs, OfEveryOperationEqualTheReference) {
  expect_reference(lower_float(test::every_operation_an_output()), true);
  expect_reference(test::quantized_in_sixteenths(test::every_operation_an_output()));
}

// Side branches are outputs, too: read behind the last step, whatever the order of the streams.
TEST_P(DeviceOutputs, OfEveryNodeEqualTheReference) {
  Graph bound = test::with_every_node_an_output(test::everything(Activation::kNone));
  test::bind_random(bound, 4);
  const Graph graph = test::quantized(bound, DType::kU8);
  const auto device = engine(graph, {.batch = 2});
  const std::vector<float> images = test::random_images(bound, 2, 9);
  test::expect_reference_outputs(*device, graph, images, 2);
  if (!emulated()) return;
  const OutputBuffers want(device->graph(), 2), got(device->graph(), 2);
  device->run(images, 2, want);
  emulator::set_deferred(true);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    emulator::set_options({.seed = seed});
    device->run(images, 2, got);
    for (std::size_t o = 0; o < bound.outputs.size(); ++o) {
      ASSERT_TRUE(std::equal(got[o].begin(), got[o].end(), want[o].begin())) << bound.outputs[o].name << ", " << seed;
    }
  }
}

// Whole numbers below 2048 are exact in float16.
TEST_P(DeviceOutputs, OfFloat16EqualTheReference) {
  const Graph graph = lower_float(test::several_outputs());
  const auto device = engine(graph, {.batch = kBatch, .math = FloatMath::kHalf});
  const std::vector<float> images = test::whole_images(graph, kBatch);
  const OutputBuffers got(graph, kBatch);
  device->run(images, kBatch, got);
  const auto want = reference::run_network(graph, std::span(images).first(images.size() / kBatch));
  for (std::size_t o = 0; o < 2; ++o) {  // the mean's sums divide by 16
    const std::vector<float>& expected = want.floats[static_cast<std::size_t>(graph.outputs[o].node)].values;
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(got[o][i], expected[i]) << "output " << o << ", " << i;
  }
}

TEST_P(DeviceOutputs, AreFetchedApart) {
  const Graph bound = test::several_outputs();
  const auto device = engine(test::quantized(bound, DType::kU8), {.batch = 1});
  const std::vector<float> image = test::random_images(bound, 1, 2);
  const OutputBuffers got(device->graph(), 1), want(device->graph(), 1);
  device->run(image, 1, want);
  device->device_clock()->load(image, 1);
  device->device_clock()->run_loaded();
  device->device_clock()->fetch(got);
  for (std::size_t o = 0; o < 3; ++o) EXPECT_TRUE(std::equal(got[o].begin(), got[o].end(), want[o].begin())) << o;
}

// Two batches are under way: the first one's outputs are its own.
TEST_P(DeviceOutputs, OfAPipelineAreEachBatchs) {
  const Graph bound = test::several_outputs();
  for (const FloatMath math : {FloatMath::kStrict, FloatMath::kHalf}) {
    const Graph graph = math == FloatMath::kHalf ? lower_float(bound) : test::quantized(bound, DType::kU8);
    const auto device = engine(graph, {.batch = kBatch, .math = math});
    const std::vector<float> first = test::random_images(bound, kBatch, 2), second = test::random_images(bound, 2, 3);
    const OutputBuffers got(graph, kBatch), want(graph, kBatch);
    for (int pass = 0; pass < 2; ++pass) {
      device->pipeline()->submit(first, kBatch);
      device->pipeline()->submit(second, 2);
      for (const auto& [images, n] : {std::pair(&first, kBatch), std::pair(&second, 2)}) {
        device->pipeline()->collect(got);
        const auto again = engine(graph, {.batch = kBatch, .math = math});
        again->run(*images, n, want);
        for (std::size_t o = 0; o < graph.outputs.size(); ++o) {
          const std::size_t count = output_elements(graph, o) * static_cast<std::size_t>(n);
          EXPECT_TRUE(std::equal(got[o].begin(), got[o].begin() + static_cast<std::ptrdiff_t>(count), want[o].begin()))
              << graph.outputs[o].name;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, DeviceOutputs, testing::Values("emu", "gpu"),
                         [](const auto& row) { return std::string(row.param); });

}  // namespace
}  // namespace gpueval::cuda
