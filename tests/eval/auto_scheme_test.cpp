// SPDX-License-Identifier: Apache-2.0
// Recipes are measured on all outputs of a network, whatever it is.
#include "eval/auto_scheme.h"

#include <gtest/gtest.h>

#include "gpueval/recipe.h"
#include "support/compute_networks.h"

namespace gpueval {
namespace {

constexpr int kHeldOut = 4;

// Two maps; of `second` the error is what remains in the sums.
Graph two_outputs() {
  GraphBuilder g("two");
  const int x = g.relu("relu", g.conv2d("first", g.input(8, 8, 3), 8, 3, 3, {.pad = Pad::kSame}));
  Graph graph = g.finish(g.conv2d("second", x, 4, 3, 3, {}));
  graph.outputs = {{"a", graph.outputs[0].node}, {"b", x}};
  test::bind_random(graph, 3);
  return graph;
}

CalibrationImages seeded_images(const Graph& graph, std::uint64_t seed) {
  return test::calibration_images(test::random_images(graph, kHeldOut, seed), kHeldOut);
}

std::vector<SchemeResult> tried(const Graph& graph) {
  return try_schemes(graph, {seeded_images(graph, 1), seeded_images(graph, 2)},
                     {parse_recipe("maxabs"), parse_recipe("best")}, {.device = "cpu"}, {});
}

TEST(AutoScheme, MeasuresAllOutputs) {
  const Graph both = two_outputs();
  Graph one = both;
  one.outputs.resize(1);
  const std::vector<SchemeResult> results = tried(both), of_one = tried(one);
  ASSERT_EQ(results.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(results[i].images, kHeldOut);
    EXPECT_EQ(results[i].error.images, kHeldOut);
    EXPECT_FALSE(results[i].same_class) << "maps have no top-1 class";
    EXPECT_GT(results[i].error.signal, of_one[i].error.signal);
    EXPECT_GT(results[i].error.noise, of_one[i].error.noise);
    EXPECT_GT(results[i].error.sqnr_db(), 20);
  }
}

TEST(AutoScheme, ClassifiersHaveTheirAgreement) {
  GraphBuilder g("classes");
  Graph graph =
      g.finish(g.dense("logits", g.global_avg_pool("mean", g.conv2d("conv", g.input(8, 8, 3), 8, 3, 3, {})), 5));
  test::bind_random(graph, 3);
  for (const SchemeResult& result : tried(graph)) {
    ASSERT_TRUE(result.same_class);
    EXPECT_GE(*result.same_class, kHeldOut - 1);
    EXPECT_GT(result.error.kl, 0);
  }
}

}  // namespace
}  // namespace gpueval
