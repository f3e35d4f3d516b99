// SPDX-License-Identifier: Apache-2.0
// Sensitivity speaks of each task's own metric, and its numbers are those of an accuracy run.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gpueval/report.h"
#include "gpueval/session.h"

namespace gpueval {
namespace {

struct Case {
  const char *model, *task, *metric;
};

Plan plan_of(const Case& c) {
  Plan plan;
  plan.model.name = c.model;
  plan.device = "cpu";
  plan.data.limit = 24;
  plan.calibration.images = 16;
  plan.rows = {{.precision = Precision::kFloat32},
               {.precision = Precision::kInt8, .recipe = {.scheme = Scheme::kMaxAbs}}};
  plan.accuracy.emplace();
  return plan;
}

class SensitivityOfTasks : public testing::TestWithParam<Case> {};

TEST_P(SensitivityOfTasks, IsThatOfAnAccuracyRun) {
  const Plan plan = plan_of(GetParam());
  Observer silent;
  const SensitivityReport found = measure_sensitivity(plan, {}, silent);
  EXPECT_EQ(found.task, GetParam().task);
  EXPECT_EQ(found.metric, GetParam().metric);
  const Report run = measure(plan, silent);
  EXPECT_EQ(found.images, run.runs[0].accuracy->images);
  EXPECT_EQ(found.float_headline, run.runs[0].accuracy->headline());
  EXPECT_EQ(found.found.all_int8.headline, run.runs[1].accuracy->headline());
  const PairedComparison& paired = *run.runs[1].vs_first;
  EXPECT_EQ(found.found.all_int8.agreement, paired.agreement);
  EXPECT_EQ(found.found.all_int8.sqnr_db, paired.logits.sqnr_db());
  EXPECT_GT(found.found.layers.size(), 5u);
  EXPECT_NE(to_text(found).find(GetParam().metric), std::string::npos);
  const nlohmann::json json = nlohmann::json::parse(to_json(found));
  EXPECT_EQ(json["task"], GetParam().task);
  EXPECT_EQ(json["float32_headline"], run.runs[0].accuracy->headline());
  EXPECT_EQ(json["float32_top1"].is_null(), std::string(GetParam().task) != "classification");
  EXPECT_EQ(json["all_int8"]["logits_kl"].is_null(), std::string(GetParam().task) != "classification");
}

// Layers in float32 make a loss of any size smaller until it is none.
TEST_P(SensitivityOfTasks, FindsLayersForATargetLoss) {
  Plan plan = plan_of(GetParam());
  Observer silent;
  const SensitivityReport found = measure_sensitivity(plan, {.target_loss_points = 0.0, .choosing_images = 40}, silent);
  ASSERT_TRUE(found.mixed);
  EXPECT_EQ(found.images, 40);
  EXPECT_EQ(found.mixed->images, 24);
  EXPECT_LE(found.mixed->choosing_loss_points, 0);
  EXPECT_EQ(found.mixed->choosing_loss_points, 100 * (*found.float_headline - *found.mixed->choosing.headline));
  for (const std::size_t image : found.mixed->indices)
    EXPECT_EQ(std::count(found.indices.begin(), found.indices.end(), image), 0) << image;
}

INSTANTIATE_TEST_SUITE_P(Demos, SensitivityOfTasks,
                         testing::Values(Case{"demo", "classification", "top-1"},
                                         Case{"demo-segmentation", "segmentation", "mIoU"},
                                         Case{"demo-detection", "detection", "AP"}),
                         [](const auto& of) { return std::string(of.param.task); });

}  // namespace
}  // namespace gpueval
