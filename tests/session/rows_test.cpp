// SPDX-License-Identifier: Apache-2.0
// A plan's rows from texts, and what its device cannot do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>

#include "gpueval/error.h"
#include "gpueval/session.h"

namespace gpueval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string usage_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
    return error.what();
  }
  return "none";
}

TEST(Rows, OneAPrecisionAndOfInt8OneAScheme) {
  Plan plan;
  set_rows(plan, {"float32", "int8"}, {"maxabs", "auto"}, {.recipe = {.activations = DType::kS8}, .kernel = "avx2"});
  std::vector<std::string> rows;
  for (const Row& row : plan.rows) {
    rows.push_back(to_string(row.precision) + " " + row.scheme());
    EXPECT_EQ(row.kernel, "avx2");
  }
  EXPECT_THAT(rows, ElementsAre("float32 ", "int8 maxabs", "int8 auto"));
  EXPECT_EQ(plan.rows.back().recipe.activations, DType::kS8);
  set_rows(plan, {"int8"}, {});
  ASSERT_EQ(plan.rows.size(), 1u);
  EXPECT_EQ(plan.rows.front().scheme(), "") << "left open";
}

TEST(Rows, RefusesNamesTwiceAndCorrectionsThatContradict) {
  Plan plan;
  EXPECT_EQ(usage_error([&] { set_rows(plan, {"int8", "int8"}, {}); }), "precision names int8 twice");
  EXPECT_EQ(usage_error([&] { set_rows(plan, {"int8"}, {"mse", "mse"}); }), "scheme names mse twice");
  EXPECT_THAT(usage_error([&] { set_rows(plan, {"int9"}, {}); }), HasSubstr("float32, tf32"));
  const Row lone{.recipe = {.corrections = {{"asymmetric", true}}}};
  EXPECT_THAT(usage_error([&] { set_rows(plan, {"int8"}, {"mse"}, lone); }), HasSubstr("asymmetric needs gptq"));
  plan.calibration.table = "t.json";  // which may have gptq
  EXPECT_EQ(usage_error([&] { set_rows(plan, {"int8"}, {"mse"}, lone); }), "none");
}

TEST(CheckDevice, NamesTheOption) {
  Plan plan{.device = "cpu"};
  EXPECT_EQ(usage_error([&] { check_device(plan); }), "none");
  plan.rows = {{.precision = Precision::kTf32}};
  EXPECT_EQ(usage_error([&] { check_device(plan); }),
            "precision tf32: it needs a GPU (--device cuda), and the device is cpu");
  plan.rows = {{.precision = Precision::kInt8, .kernel = "fast"}};
  EXPECT_THAT(usage_error([&] { check_device(plan); }), HasSubstr("kernel fast: the device cpu has no such kernel"));
  plan.cuda_graph = false;
  EXPECT_EQ(usage_error([&] { check_device(plan); }), "no-cuda-graph is for the devices cuda and emu, not cpu");
  plan.device = "emu";
  plan.rows.clear();
  EXPECT_EQ(usage_error([&] { check_device(plan); }), "none");
  plan.device = "gpu";
  EXPECT_THAT(usage_error([&] { check_device(plan); }), HasSubstr("device gpu: this version has auto, "));
}

TEST(PlanEachNetwork, OfSeveralNames) {
  std::vector<std::string> names;
  for (const Plan& plan : plan_each_network({}, {"squeezenet", "mobilenet_0.25", "a/own.keras"}))
    names.push_back(plan.model.name + plan.model.file);
  EXPECT_THAT(names, ElementsAre("squeezenet", "mobilenet", "a/own.keras"));
  EXPECT_EQ(plan_each_network({}, {}).size(), plan_each_network({}).size());
}

TEST(SelftestKernels, ByARegularExpression) {
  EXPECT_THAT(selftest_kernels("emu", "^add$"), ElementsAre("add"));
  EXPECT_EQ(selftest_kernels("emu", ""), selftest_kernels("emu"));
  EXPECT_THAT(usage_error([] { selftest_kernels("emu", "("); }), HasSubstr("it is no regular expression"));
  EXPECT_THAT(usage_error([] { selftest_kernels("emu", "nothing"); }), HasSubstr("none of "));
}

TEST(ExportNetwork, SaysWhatItWrote) {
  const std::string path = testing::TempDir() + "gpueval_export_network.onnx";
  Plan plan{.device = "cpu"};
  plan.model.name = "demo";
  plan.rows = {{.precision = Precision::kFloat32}};
  Observer silent;
  const ExportedNetwork exported = export_network(plan, path, silent);
  EXPECT_EQ(exported.form, "float32");
  EXPECT_GT(exported.bytes, 100'000u);
  ASSERT_EQ(exported.outputs.size(), 1u);
  EXPECT_FALSE(exported.calibration_images);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace gpueval
