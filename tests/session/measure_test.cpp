// SPDX-License-Identifier: Apache-2.0
// The library above Engine, on the embedded demo: what `gpu_eval` does, without a command line.
#include <gtest/gtest.h>

#include "gpueval/error.h"
#include "gpueval/session.h"

namespace gpueval::test {
namespace {

Plan demo_plan(std::size_t limit = 60) {
  Plan plan;
  plan.model.name = "demo";
  plan.device = "cpu";
  plan.data.limit = limit;
  plan.calibration.images = 16;
  return plan;
}

Row int8(Scheme scheme) { return {.precision = Precision::kInt8, .recipe = {.scheme = scheme}}; }

SpeedPlan quick(std::vector<int> batches) {
  return {.batches = std::move(batches), .warm_up_ms = 0, .duration_s = 0.01, .iterations = 2};
}

struct Told : Observer {
  void on_step(const std::string& text) override { steps.push_back(text); }
  void on_note(const std::string& sentence) override { notes.push_back(sentence); }
  std::vector<std::string> steps, notes;
};

TEST(Measure, RowsInTheOrderOfThePlan) {
  Plan plan = demo_plan();
  plan.rows = {{Precision::kFloat32}, int8(Scheme::kReference), int8(Scheme::kMaxAbs), int8(Scheme::kMse)};
  plan.rows[1].recipe.depthwise_int8 = false;
  plan.accuracy.emplace();
  Told told;
  const Report report = measure(plan, told);
  std::vector<std::string> labels;
  for (const RunReport& run : report.runs) {
    labels.push_back(run.label());
    ASSERT_TRUE(run.accuracy);
    EXPECT_EQ(run.accuracy->images, 60);
    EXPECT_FALSE(run.speed);
    EXPECT_EQ(run.quantization.has_value(), run.scheme == "maxabs" || run.scheme == "mse");
  }
  EXPECT_EQ(labels, (std::vector<std::string>{"float32", "int8 reference-pw", "int8 maxabs", "int8 mse"}));
  EXPECT_NE(report.runs[2].accuracy->logits_sha256, report.runs[3].accuracy->logits_sha256);
  EXPECT_EQ(report.calibration->images, 16);
  EXPECT_EQ(std::count(told.steps.begin(), told.steps.end(), "calibrating"), 2) << "the two static rows";
}

TEST(Measure, PixelsThatAreNeverNegativeAreU8) {
  for (const auto& [normalization, dtype] :
       {std::pair{Normalization::kTf, DType::kS8}, std::pair{Normalization::kUnit, DType::kU8}}) {
    Plan plan = demo_plan();
    plan.rows = {int8(Scheme::kMaxAbs)};
    plan.data.preprocessing.normalization = Normalization(normalization);
    Observer silent;
    const Prepared prepared = prepare(plan, silent);
    EXPECT_EQ(prepared.rows.front().graph.nodes[1].type.dtype, dtype);
  }
}

TEST(Measure, EachBatchHasItsRuns) {
  Plan plan = demo_plan();
  plan.rows = {{Precision::kFloat32}, int8(Scheme::kMaxAbs)};
  plan.accuracy.emplace();
  plan.speed = quick({1, 4});
  Observer silent;
  const Report report = measure(plan, silent);
  ASSERT_EQ(report.runs.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    const RunReport& run = report.runs[i];
    EXPECT_EQ(run.batch, i < 2 ? 1 : 4);
    EXPECT_EQ(run.speed->batch, run.batch);
    EXPECT_EQ(run.accuracy.has_value(), i < 2) << "judged once";
    EXPECT_EQ(run.speed->vs_first.has_value(), i % 2 == 1) << "against float32 of its own batch";
    EXPECT_FALSE(run.layers.empty());
  }
  EXPECT_EQ(report.runs[3].label(), "int8 maxabs b4");
}

TEST(Measure, TheDefaultRecipeIsWorthItsTimeOnlyWhereAccuracyIsMeasured) {
  Plan plan = demo_plan();
  plan.rows = {{Precision::kInt8}};
  plan.speed = quick({1});
  Observer silent;
  EXPECT_EQ(measure(plan, silent).runs[0].scheme, "maxabs");
  plan.accuracy.emplace();
  EXPECT_EQ(measure(plan, silent).runs[0].scheme, "best");
}

TEST(Measure, ErrorsNameThePlansField) {
  const auto message = [](const Plan& plan, ErrorKind kind) -> std::string {
    Observer silent;
    try {
      measure(plan, silent);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    return "";
  };
  Plan plan = demo_plan();
  EXPECT_EQ(message(plan, ErrorKind::kUsage), "a measurement needs an accuracy or a speed part");
  plan.speed = quick({1});
  plan.model.alpha = 0.5;
  EXPECT_EQ(message(plan, ErrorKind::kUsage), "alpha contradicts the network demo, which has one width only");
  plan.model.name = "mobilenet_0.25";
  EXPECT_EQ(message(plan, ErrorKind::kUsage), "alpha 0.5 contradicts the network mobilenet_0.25");
  plan = demo_plan();
  plan.speed = quick({1});
  plan.data.path = "/nonexistent.pkl";
  EXPECT_TRUE(message(plan, ErrorKind::kData).starts_with("/nonexistent.pkl: no such data set"));
  plan = demo_plan();
  plan.speed = quick({1});
  plan.calibration.table = "t.json";
  plan.rows[1].recipe.automatic = true;
  EXPECT_FALSE(message(plan, ErrorKind::kFile).empty());
}

TEST(Prepare, GivesEnginesThatRun) {
  Plan plan = demo_plan();
  plan.rows = {int8(Scheme::kMaxAbs)};
  Observer silent;
  const Prepared prepared = prepare(plan, silent);
  const auto engine = make_engine(plan, prepared.rows.front(), 2);
  std::vector<float> input(static_cast<std::size_t>(2 * prepared.model.report.input.elements()), 0.25f);
  std::vector<float> logits(static_cast<std::size_t>(2 * prepared.model.report.classes));
  engine->run(input, 2, logits);
  const std::size_t half = logits.size() / 2;
  EXPECT_TRUE(std::equal(logits.begin(), logits.begin() + static_cast<std::ptrdiff_t>(half),
                         logits.begin() + static_cast<std::ptrdiff_t>(half)));
}

TEST(Networks, RowsOfTheResearch) {
  const auto labels = [](const char* name) {
    std::vector<std::string> result;
    for (const Row& row : research_rows(find_model(name).build({}))) result.push_back(row.scheme());
    return result;
  };
  EXPECT_EQ(labels("vgg16"), (std::vector<std::string>{"", "reference", "maxabs", "best"}));
  EXPECT_EQ(labels("mobilenet"), (std::vector<std::string>{"", "reference", "reference", "maxabs", "best"}));
}

TEST(Networks, NamesAndWidths) {
  const auto names = [](const std::string& name, std::optional<double> alpha = {}) {
    Plan plan;
    plan.model = {.name = name, .alpha = alpha};
    std::vector<std::string> result;
    for (const Plan& network : plan_each_network(plan)) {
      const double width = network.model.alpha.value_or(1);
      result.push_back(model_name(find_model(network.model.name), width));
    }
    return result;
  };
  EXPECT_EQ(names("mobilenet"),
            (std::vector<std::string>{"mobilenet", "mobilenet_0.75", "mobilenet_0.5", "mobilenet_0.25"}));
  EXPECT_EQ(names("mobilenet_0.25"), (std::vector<std::string>{"mobilenet_0.25"}));
  EXPECT_EQ(names("mobilenet", 0.5), (std::vector<std::string>{"mobilenet_0.5"}));
  EXPECT_EQ(names("demo"), (std::vector<std::string>{"demo"}));
  EXPECT_EQ(names("").size(), 9u) << "all but the demo";
}

TEST(Networks, WhatWasMeasuredIsKeptWhenALaterOneFails) {
  Plan good = demo_plan(), bad = demo_plan();
  good.accuracy.emplace();
  bad.data.path = "/nonexistent.pkl";
  bad.accuracy.emplace();
  Observer silent;
  const TableReport table = measure_networks({good, bad, good}, silent);
  ASSERT_EQ(table.networks.size(), 1u);
  EXPECT_TRUE(table.networks[0].report);
  EXPECT_NE(table.failure.find("/nonexistent.pkl"), std::string::npos);
  EXPECT_THROW(measure_networks({bad}, silent), Error);
}

}  // namespace
}  // namespace gpueval::test
