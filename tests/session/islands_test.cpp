// SPDX-License-Identifier: Apache-2.0
// What has no integer form is named, and its time is there where speed was measured.
#include <gtest/gtest.h>

#include <algorithm>

#include "gpueval/session.h"

namespace gpueval::test {
namespace {

bool says(const Report& report, const std::string& part) {
  return std::any_of(report.notes.begin(), report.notes.end(),
                     [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

// float32 and int8 of a network with a LayerNormalization, "norm".
Report measured(std::optional<SpeedPlan> speed, std::optional<int> layers_batch = {}) {
  Plan plan;
  plan.model.file = GPUEVAL_SOURCE_DIR "/tests/golden/keras/k3_rescaled.keras";
  plan.device = "cpu";
  plan.data.path = "demo";
  plan.data.limit = 8;
  plan.data.preprocessing.normalization = Normalization::kTf;
  plan.calibration.images = 8;
  plan.rows = {{Precision::kFloat32}, {.precision = Precision::kInt8, .recipe = {.scheme = Scheme::kMaxAbs}}};
  plan.accuracy.emplace();
  plan.speed = std::move(speed);
  plan.layers_batch = layers_batch;
  Observer silent;
  return measure(plan, silent);
}

TEST(Islands, AreNamedWhereOnlyAccuracyIsMeasured) {
  const Report report = measured({});
  EXPECT_FALSE(report.runs[0].islands);
  ASSERT_TRUE(report.runs[1].islands);
  EXPECT_EQ(report.runs[1].islands->layers, std::vector<std::string>{"norm"});
  EXPECT_FALSE(report.runs[1].islands->ms);
  EXPECT_TRUE(says(report, "1 of int8's layers computes in float32, having no integer form: norm."));
  EXPECT_TRUE(says(report, "int8 maxabs: what its float32 layers cost was not measured."));
}

TEST(Islands, HaveTheirTimeInEveryRunWithSpeed) {
  const SpeedPlan speed{.batches = {1, 2}, .warm_up_ms = 0, .duration_s = 0.01, .iterations = 2};
  for (const std::optional<int> layers_batch : {std::optional<int>(), std::optional<int>(1)}) {
    const Report report = measured(speed, layers_batch);
    ASSERT_EQ(report.runs.size(), 4u);
    EXPECT_FALSE(report.runs[2].islands);
    for (const std::size_t run : {1u, 3u}) {
      const IslandReport& islands = *report.runs[run].islands;
      ASSERT_TRUE(islands.ms && islands.network_ms);
      EXPECT_GT(*islands.ms, 0);
      EXPECT_LT(*islands.ms, *islands.network_ms);
      EXPECT_TRUE(
          says(report, report.runs[run].label() + ": its float32 layers, with the conversions into and out of"));
    }
    if (!layers_batch) continue;  // else they are those of --per-layer
    EXPECT_DOUBLE_EQ(*report.runs[1].islands->network_ms, layers_ms(report.runs[1]));
  }
}

}  // namespace
}  // namespace gpueval::test
