// SPDX-License-Identifier: Apache-2.0
// A real detector and a real segmentation, on real pictures: Keras's float32 numbers and detections (../shared/data),
// and what int8 may cost at most.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "gpueval/session.h"
#include "support/data_files.h"

namespace gpueval {
namespace {

class TasksReal : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(test::real_data("detection")))
      GTEST_SKIP() << "needs " << test::real_data("detection");
  }
  std::string temporary(const std::string& name) const {
    return (std::filesystem::temp_directory_path() / (name + std::to_string(::getpid()))).string();
  }
};

Plan detection() {
  Plan plan;
  const std::string folder = test::real_data("detection");
  set_network(plan.model, folder + "/face_mask_ssd_260.h5");
  plan.data = {.path = folder, .split = "val", .calibration_split = "calibration"};
  plan.data.preprocessing.normalization = Normalization::kUnit;
  plan.task.priors = "face_mask_260.json";
  plan.accuracy.emplace();
  return plan;
}

Plan segmentation() {
  Plan plan;
  const std::string folder = test::real_data("segmentation");
  set_network(plan.model, folder + "/deeplabv3_mobilenetv2_050_513.h5");
  plan.data = {.path = folder, .split = "val", .calibration_split = "calibration"};
  plan.data.map = parse_class_map("15:1,255:void,other:0");
  plan.data.preprocessing = {.normalization = Normalization::kTf, .fit = Fit::kPad};
  plan.task.aligned = true;
  plan.accuracy.emplace();
  return plan;
}

double value_of(const Report& report, std::size_t run, std::size_t metric) {
  return report.runs.at(run).accuracy->metrics.at(metric).value;
}

using Rows = std::map<std::pair<int, int>, std::vector<std::array<double, 5>>>;

Rows read_rows(const std::string& path) {
  std::ifstream file(path);
  Rows rows;
  for (const auto& d : nlohmann::json::parse(file)) {
    const auto& b = d["bbox"];
    rows[{d["image_id"], d["category_id"]}].push_back({b[0], b[1], b[2], b[3], d["score"]});
  }
  return rows;
}

// Each of Keras's detections is among ours, to a tenth of a pixel and 1e-4 of the score, and there are as many.
void expect_same_detections(const Rows& found, const Rows& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [key, rows] : expected) {
    const auto& own = found.at(key);
    ASSERT_EQ(own.size(), rows.size()) << key.first << ' ' << key.second;
    for (const auto& row : rows) {
      const bool there = std::any_of(own.begin(), own.end(), [&row = row](const auto& other) {
        for (std::size_t k = 0; k < 4; ++k) {
          if (std::abs(row[k] - other[k]) > 0.1) return false;
        }
        return std::abs(row[4] - other[4]) <= 1e-4;
      });
      EXPECT_TRUE(there) << key.first << ' ' << key.second << " score " << row[4];
    }
  }
}

TEST_F(TasksReal, DetectionsOfFloat32AreThoseOfKeras) {
  Plan plan = detection();
  plan.rows.resize(1);
  plan.accuracy->save_detections = temporary("detections");
  Observer silent;
  const Report report = measure(plan, silent);
  EXPECT_EQ(report.task, "detection");
  EXPECT_TRUE(report.output_errors.empty());
  EXPECT_NEAR(value_of(report, 0, 0), 0.6282, 0.0005);
  EXPECT_NEAR(value_of(report, 0, 1), 0.9955, 0.0005);
  EXPECT_NEAR(value_of(report, 0, 2), 0.7396, 0.0005);
  const std::string golden = test::real_data("detection/golden/");
  expect_same_detections(read_rows(plan.accuracy->save_detections), read_rows(golden + "val_detections_float32.json"));
  const Report judged = judge_answers(
      {.task = "detection", .truth = golden + "val_annotations.json", .answers = plan.accuracy->save_detections});
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(value_of(judged, 0, i), value_of(report, 0, i), 1e-9) << i;
  std::filesystem::remove(plan.accuracy->save_detections);
}

TEST_F(TasksReal, DetectionsOfInt8LoseLittle) {
  Observer silent;
  const Report report = measure(detection(), silent);
  EXPECT_GE(value_of(report, 1, 0), value_of(report, 0, 0) - 0.005);
  ASSERT_TRUE(report.runs[1].vs_first);
  EXPECT_EQ(report.runs[1].vs_first->resamples, 1000);
  EXPECT_GE(report.runs[1].vs_first->agreement, 0.95);
  EXPECT_FALSE(report.runs[1].islands);  // every layer int8
}

TEST_F(TasksReal, LabelMapsOfFloat32AreThoseOfKeras) {
  Plan plan = segmentation();
  plan.rows.resize(1);
  plan.task.save_masks = temporary("masks");
  Observer silent;
  const Report report = measure(plan, silent);
  EXPECT_EQ(report.task, "segmentation");
  EXPECT_NEAR(value_of(report, 0, 0), 0.6778, 0.0002);
  const Report judged = judge_answers({.task = "segmentation",
                                       .truth = plan.data.path,
                                       .split = "val",
                                       .answers = plan.task.save_masks,
                                       .map = plan.data.map});
  EXPECT_EQ(value_of(judged, 0, 0), value_of(report, 0, 0));
  std::filesystem::remove_all(plan.task.save_masks);
}

TEST_F(TasksReal, LabelMapsOfInt8LoseLittle) {
  Plan plan = segmentation();
  plan.data.limit = 24;
  plan.calibration.images = 8;  // a sixth, for time
  Observer silent;
  const Report report = measure(plan, silent);
  EXPECT_GE(value_of(report, 1, 0), value_of(report, 0, 0) - 0.001);
  EXPECT_GE(report.runs[1].vs_first->agreement, 0.99);
  EXPECT_FALSE(report.runs[1].islands);
}

}  // namespace
}  // namespace gpueval
