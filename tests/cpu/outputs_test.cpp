// SPDX-License-Identifier: Apache-2.0
// Networks with several named outputs on the CPU.
#include <gtest/gtest.h>

#include "cpu/engine.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "support/several_outputs.h"

namespace gpueval {
namespace {

constexpr int kBatch = 3;

void expect_reference(const Graph& graph, bool whole_pixels = false) {
  const auto engine = cpu::make_cpu_engine(graph, {.batch = kBatch});
  for (const int n : {kBatch, 1, 2}) {
    const std::vector<float> images = whole_pixels ? test::whole_images(graph, n) : test::random_images(graph, n, 9);
    test::expect_reference_outputs(*engine, graph, images, n);
  }
}

TEST(SeveralOutputs, OfFloat32EqualTheReference) {
  const Graph lowered = lower_float(test::several_outputs());
  ASSERT_EQ(lowered.outputs.size(), 3u);
  expect_reference(lowered, true);
}

// A ReLU behind an output must not be fused into it: the output has negative values, its reader has none.
TEST(SeveralOutputs, KeepTheirOwnTensor) {
  const Graph bound = test::several_outputs();
  const auto engine = cpu::make_cpu_engine(lower_float(bound), {});
  const OutputBuffers out(engine->graph(), 1);
  engine->run(test::whole_images(bound, 1), 1, out);
  EXPECT_LT(*std::min_element(out[0].begin(), out[0].end()), 0.0f);
  for (std::size_t i = 0; i < out[0].size(); ++i) EXPECT_EQ(out[1][i], std::max(out[0][i], 0.0f)) << i;
}

TEST(SeveralOutputs, OfInt8EqualTheReference) {
  for (const DType activations : {DType::kU8, DType::kS8}) {
    expect_reference(test::quantized(test::several_outputs(), activations));
  }
}

TEST(SeveralOutputs, OfEveryOperationEqualTheReference) {
  const Graph bound = test::every_operation_an_output();
  expect_reference(lower_float(bound), true);
  for (const DType activations : {DType::kU8, DType::kS8}) {
    expect_reference(test::quantized_in_sixteenths(bound, {.activations = activations}));
  }
}

// Each of them is read by others, too, in int8.
TEST(SeveralOutputs, OfEveryNodeEqualTheReference) {
  for (const Activation last : {Activation::kNone, Activation::kRelu}) {
    Graph bound = test::with_every_node_an_output(test::everything(last));
    test::bind_random(bound, 4);
    const Graph graph = test::quantized(bound, DType::kU8);
    EXPECT_EQ(graph.outputs.size(), bound.nodes.size());
    expect_reference(graph);
  }
}

// The operands write into the concat, with the pitch of its pixels; as outputs they leave dense.
TEST(SeveralOutputs, AreThemselvesPartsOfAConcat) {
  const Graph graph = test::quantized_in_sixteenths(test::several_outputs());
  ASSERT_GE(graph.node(graph.find("map")).slice_of, 0);
  EXPECT_EQ(graph.outputs[1].node, graph.find("map/dequantize"));
  expect_reference(graph);
}

TEST(SeveralOutputs, OfMixedPrecisionEqualTheReference) {
  for (const char* left : {"raw", "classes", "side"}) {
    SCOPED_TRACE(left);
    expect_reference(test::quantized_in_sixteenths(test::several_outputs(), {.float_layers = {left}}));
  }
}

TEST(SeveralOutputs, OfTheReferenceSchemeEqualThoseAlone) {
  const Graph bound = test::several_outputs();
  const auto engine = cpu::make_cpu_engine(lower_reference(bound, {}), {.batch = kBatch});
  const std::vector<float> images = test::random_images(bound, kBatch, 9);
  const OutputBuffers all(engine->graph(), kBatch);
  engine->run(images, kBatch, all);
  for (std::size_t o = 0; o < bound.outputs.size(); ++o) {
    Graph one = bound;
    one.outputs = {bound.outputs[o]};
    const auto alone = cpu::make_cpu_engine(lower_reference(rewire(one, std::vector<int>(one.nodes.size(), -1)), {}),
                                            {.batch = kBatch});
    const OutputBuffers want(alone->graph(), kBatch);
    alone->run(images, kBatch, want);
    EXPECT_EQ((std::vector<float>{all[o].begin(), all[o].end()}), (std::vector<float>{want[0].begin(), want[0].end()}))
        << bound.outputs[o].name;
  }
}

TEST(SeveralOutputs, OfMixedPrecisionLeaveWithoutADetour) {
  const Graph bound = test::several_outputs();
  const Graph graph = test::quantized_in_sixteenths(bound, {.float_layers = {"raw"}});
  EXPECT_EQ(graph.node(graph.outputs[0].node).name, "raw");
  EXPECT_EQ(graph.node(graph.outputs[1].node).name, "map");
}

TEST(SeveralOutputs, NeedRoomForEach) {
  const Graph bound = test::several_outputs();
  const auto engine = cpu::make_cpu_engine(lower_float(bound), {});
  std::vector<float> one(1000);
  EXPECT_THROW(engine->run(test::whole_images(bound, 1), 1, one), Error);
  EXPECT_THROW(engine->graph().output_node(), Error);
}

}  // namespace
}  // namespace gpueval
