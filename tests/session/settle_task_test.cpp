// SPDX-License-Identifier: Apache-2.0
#include "session/settle_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpueval/error.h"
#include "gpueval/models.h"

namespace gpueval {
namespace {

LoadedModel imported(const Shape& output) {
  ModelSpec spec{
      .name = "made", .description = "", .build = {}, .detect_variant = {}, .weight_files = {}, .published_at = {}};
  spec.built_in = false;
  LoadedModel model;
  model.spec = std::make_shared<const ModelSpec>(std::move(spec));
  model.report.weights = "made.keras";
  model.report.input = {1, 12, 10, 3};
  model.report.outputs = {{"out", "layer", output, {output.h, output.w, output.c}}};
  return model;
}

// A network that answers nothing still gives its outputs and has a speed.
TEST(SettleTask, AGuessThatDoesNotFitJudgesNothing) {
  Plan plan;
  EXPECT_EQ(settle_task(plan, imported({1, 12, 10, 4})).why_not, "");
  const LoadedModel line = imported({1, 10, 1, 8});
  EXPECT_THAT(settle_task(plan, line).why_not, testing::StartsWith("made.keras: segmentation is of networks whose"));
  plan.task.name = "segmentation";
  EXPECT_THROW(settle_task(plan, line), Error);
}

}  // namespace
}  // namespace gpueval
