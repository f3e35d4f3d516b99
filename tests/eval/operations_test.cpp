// SPDX-License-Identifier: Apache-2.0
// Layer errors and sensitivity of the operations that networks of the user's own have: functions, slopes, operations of
// two tensors, what moves elements, what stays in float32.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "gpueval/classification.h"
#include "gpueval/layer_error.h"
#include "gpueval/sensitivity.h"
#include "support/array_images.h"
#include "support/compute_networks.h"

namespace gpueval {
namespace {

constexpr int kImages = 2;

std::vector<Graph> networks() {
  std::vector<Graph> graphs{test::functions(), test::tensor_pairs(), test::reductions(), test::moves()};
  for (Graph& graph : graphs) test::bind_random(graph, 7);
  return graphs;
}

CalibrationImages images_of(const Graph& graph) {
  return test::calibration_images(test::random_images(graph, kImages, 5), kImages);
}

CalibrationTable table_of(const Graph& bound) {
  CalibrationTable table;
  table.range = observe_ranges(*make_engine("cpu", lower_float(bound), {.batch = kImages, .every_node = true}),
                               images_of(bound)(), kImages);
  return table;
}

// Every layer of the network has its row, whatever lies between; no row is of a Quantize or Dequantize on the way.
TEST(LayerErrorOfOperations, EveryLayerHasAPlausibleRow) {
  for (const Graph& bound : networks()) {
    SCOPED_TRACE(bound.name);
    const Graph exact = lower_float(bound), lowered = lower_static(bound, table_of(bound), {});
    const EngineOptions options{.batch = kImages, .every_node = true};
    const auto engine = make_engine("cpu", exact, options), ours = make_engine("cpu", lowered, options);
    const LayerErrors errors = measure_layer_errors(*engine, *ours, images_of(bound)(), kImages);
    for (std::size_t i = 1; i < exact.nodes.size(); ++i) {
      EXPECT_NE(errors.find(exact.nodes[i].name), nullptr) << exact.nodes[i].name;
    }
    EXPECT_EQ(errors.layers.size(), exact.nodes.size());  // quantize_input in the place of the input
    for (const LayerError& layer : errors.layers) {
      // Products in a concat have its scale, which sums of all elements stretch: a number, not a good one.
      const bool stretched = layer.name.starts_with("with_reduce");
      EXPECT_GE(layer.sqnr_db, stretched ? 0 : 10) << layer.name;
      EXPECT_GE(layer.cosine, stretched ? 0 : 0.9) << layer.name;
      EXPECT_LE(layer.range_used, 1.0) << layer.name;
    }
  }
}

// An engine that runs several layers as one: its row is the last one's.
TEST(LayerErrorOfOperations, JoinedLayersHaveOneRow) {
  Graph bound = test::dilations();
  test::bind_random(bound, 7);
  const Graph lowered = lower_static(bound, table_of(bound), {});
  const auto engine = make_engine("cpu", lower_float(bound), {.batch = kImages}),
             ours = make_engine("cpu", lowered, {.batch = kImages});
  const LayerErrors errors = measure_layer_errors(*engine, *ours, images_of(bound)(), kImages);
  for (const std::string name : {"dense", "each", "far", "valid"}) {
    const LayerError* row = errors.find(name + "/batch_to_space");
    ASSERT_NE(row, nullptr) << name;
    EXPECT_GE(row->sqnr_db, 10) << name;
    EXPECT_EQ(errors.find(name + "/space_to_batch"), nullptr) << name;
  }
}

TEST(SensitivityOfOperations, EveryLayerWithWeightsIsRanked) {
  for (const Graph& bound : networks()) {
    SCOPED_TRACE(bound.name);
    const Graph exact = lower_float(bound);
    std::size_t expected = 0;
    for (std::size_t i = 0; i < exact.nodes.size(); ++i) expected += conv_desc(exact, static_cast<int>(i)) ? 1 : 0;
    const test::ArrayImages images(bound.input_node().shape, test::random_images(bound, kImages, 5));
    // Every element of the output is a class.
    const auto scorer = classification_scorer(static_cast<int>(bound.output_node().shape.elements()));
    const CalibrationTable table = table_of(bound);
    Trials trials(bound, table, {}, {images, images.preprocessing(), nullptr, scorer.get()},
                  {.device = "cpu", .batch = kImages});
    const Sensitivity found = measure_sensitivity(trials);
    EXPECT_EQ(found.layers.size(), expected);
    EXPECT_GT(found.all_int8.sqnr_db, 5);
    for (const LayerSensitivity& layer : found.layers) {
      for (const Trial& trial : {layer.alone, layer.rest}) {
        EXPECT_GT(trial.sqnr_db, 5) << layer.name;
        EXPECT_GE(*trial.kl, 0) << layer.name;
      }
    }
  }
}

}  // namespace
}  // namespace gpueval
