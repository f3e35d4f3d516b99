// SPDX-License-Identifier: Apache-2.0
// Networks with several outputs, against the reference. Of several_outputs(): "raw", a map in front of a ReLU that
// reads it; "map", which other layers read; "logits".
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "gpueval/engine.h"
#include "gpueval/quant.h"
#include "graph/passes.h"
#include "reference/network.h"
#include "support/test_networks.h"

namespace gpueval::test {

// Weights -1, 0 or 1: with whole pixels every float32 sum is exact in any order.
inline Graph with_whole_weights(Graph graph) {
  Random random(3);
  for (Node& node : graph.nodes) {
    for (Param& param : node.params) {
      std::vector<float> values(static_cast<std::size_t>(param.array.elements()));
      for (float& x : values) x = param.role == Role::kVariance ? 1 : static_cast<float>(random.integer(-1, 1));
      param.array.data = std::make_shared<const std::vector<float>>(std::move(values));
    }
  }
  return graph;
}

inline Graph several_outputs() {
  GraphBuilder g("several");
  const int stem = g.relu("stem_relu", g.conv2d("stem", g.input(8, 8, 3), 10, 3, 3, {.stride = 2, .pad = Pad::kSame}));
  const int raw = g.conv2d("raw", stem, 6, 1, 1, {});
  const int map = g.relu("map", raw);
  const int joined = g.concat("joined", {map, g.relu("side_relu", g.conv2d("side", stem, 5, 1, 1, {}))});
  const int logits = g.dense("classes", g.global_avg_pool("mean", joined), 7);
  return with_whole_weights(g.finish({{"raw", raw}, {"map", map}, {"logits", logits}}));
}

// Every operation as an output that nothing else reads, the input, and one node under two names. Divisors are powers
// of two.
inline Graph every_operation_an_output() {
  GraphBuilder g("leaves");
  const GraphBuilder::ConvOptions same{.pad = Pad::kSame};
  const int pixels = g.input(8, 8, 3);
  const int stem = g.relu("stem_relu", g.conv2d("stem", pixels, 10, 3, 3, {.stride = 2, .pad = Pad::kSame}));
  const int shared = g.conv2d("shared", stem, 10, 1, 1, {});
  const int joined = g.concat("joined", {stem, shared});
  const int classes = g.dense("classes", g.flatten("flat", stem), 7);
  return with_whole_weights(
      g.finish({{"pixels", pixels},
                {"conv", g.conv2d("conv", stem, 7, 3, 3, same)},
                {"cut", g.relu6("cut_relu", g.conv2d("cut", stem, 5, 1, 1, {}))},
                {"residual", g.relu("rest_relu", g.add("rest_sum", {g.conv2d("rest", stem, 10, 3, 3, same), shared}))},
                {"depthwise", g.depthwise_conv2d("depthwise", stem, 3, same)},
                {"affine", g.batch_norm("norm", joined, 0.0f)},
                {"sum", g.add("sum", {stem, shared})},
                {"both", g.concat("both", {shared, stem})},
                {"positive", g.relu("positive", shared)},
                {"largest", g.max_pool("largest", joined, 2, 2)},
                {"average", g.avg_pool("average", joined, 2, 2)},
                {"mean", g.global_avg_pool("mean", joined)},
                {"padded", g.zero_pad("padded", shared, {1, 0, 0, 1})},
                {"logits", classes},
                {"again", classes}}));
}

// All tensors in steps of 1/16, so that float32 sums of them are exact too, and a concat's sources have its scale.
inline Graph quantized_in_sixteenths(const Graph& bound, const QuantOptions& options = {}) {
  const Graph lowered = lower_float(bound);
  const std::vector<bool> positive = non_negative(lowered);
  CalibrationTable table;
  for (std::size_t i = 0; i < positive.size(); ++i) {
    table.range[lowered.nodes[i].name] = (positive[i] && options.activations == DType::kU8 ? 255.0f : 127.0f) / 16;
  }
  return lower_static(bound, table, options);
}

// What the passes keep of the network: every node as an output under its name.
inline Graph with_every_node_an_output(Graph graph) {
  graph.outputs.clear();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    graph.outputs.push_back({graph.nodes[i].name, static_cast<int>(i)});
  return graph;
}

inline std::vector<float> whole_images(const Graph& graph, int n) {
  Random random(11);
  std::vector<float> images(static_cast<std::size_t>(graph.input_node().shape.elements() * n));
  for (float& x : images) x = static_cast<float>(random.integer(-3, 3));
  return images;
}

// run(), run_tapped() and run_timed() of n images against the reference, one image at a time.
// graph: what the engine was made of, whose own has no weights left.
inline void expect_reference_outputs(Engine& engine, const Graph& graph, const std::vector<float>& images, int n) {
  const auto count = static_cast<std::size_t>(n);
  const std::size_t image = images.size() / count;
  const OutputBuffers run(graph, n), tapped(graph, n), timed(graph, n);
  engine.run(images, n, run);
  engine.run_tapped(images, n, tapped, [](int, const TensorView&) {});
  std::vector<double> seconds(engine.layers().size());
  engine.run_timed(images, n, timed, seconds);
  for (std::size_t i = 0; i < count; ++i) {
    const reference::NetworkResult want = reference::run_network(graph, std::span(images).subspan(i * image, image));
    for (std::size_t o = 0; o < graph.outputs.size(); ++o) {
      SCOPED_TRACE("image " + std::to_string(i) + ", output " + graph.outputs[o].name);
      const std::size_t elements = output_elements(graph, o);
      const std::vector<float>& expected = want.floats[static_cast<std::size_t>(graph.outputs[o].node)].values;
      for (const OutputBuffers* got : {&run, &tapped, &timed}) {
        const std::span<float> part = (*got)[o].subspan(i * elements, elements);
        EXPECT_EQ((std::vector<float>{part.begin(), part.end()}), expected);
      }
    }
  }
}

}  // namespace gpueval::test
