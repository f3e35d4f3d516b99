// SPDX-License-Identifier: Apache-2.0
// MobileNet 0.25 on real photographs: which layers ail under maxabs, and that mixed precision helps there.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numeric>

#include "gpueval/layer_error.h"
#include "gpueval/models.h"
#include "gpueval/selection.h"
#include "gpueval/sensitivity.h"
#include "quant/calibrators/calibrators.h"
#include "support/data_files.h"

namespace gpueval {
namespace {

constexpr int kBatch = 16, kCalibration = 64, kJudged = 48;

class RealMobileNet : public testing::Test {
 protected:
  void SetUp() override {
    const std::string weights = test::real_data("weights/mobilenet_2_5_224_tf.h5");
    const std::string images = test::real_data("imagenet/val224_sample.pkl");
    for (const std::string& path : {weights, images}) {
      if (!std::filesystem::exists(path)) GTEST_SKIP() << "there is no " << path;
    }
    spec_ = &find_model("mobilenet");
    bound_ = bind_weights(spec_->build({.alpha = 0.25, .variant = {}}), read_weight_file(weights));
    data_ = open_dataset(images, "");
    exact_ = make_engine("cpu", lower_float(bound_), {kBatch, ""});
  }

  CalibrationImages images(std::size_t first, std::size_t count) {
    return [this, first, count] {
      return image_source(*data_, make_preprocessing(spec_->input, *data_), first, count, &skipped_);
    };
  }
  CalibrationTable table(Scheme scheme) {
    QuantOptions options;
    options.scheme = scheme;
    CalibrationTable result;
    result.range = calibrated_ranges(*exact_, images(0, kCalibration), kBatch, options);
    return result;
  }

  const ModelSpec* spec_ = nullptr;
  Graph bound_;
  std::unique_ptr<Dataset> data_;
  std::unique_ptr<Engine> exact_;
  std::vector<SkippedImage> skipped_;
};

// Depthwise kernels whose channels span three orders of magnitude share one activation scale in the first blocks.
TEST_F(RealMobileNet, AnEarlyDepthwiseLayerIsTheMostSensitive) {
  const CalibrationTable calibrated = table(Scheme::kMaxAbs);
  SensitivityOptions how;
  how.device = "cpu";
  how.batch = kBatch;
  std::vector<std::size_t> others(kJudged);
  std::iota(others.begin(), others.end(), kCalibration);
  const auto judged = select(*data_, others);
  Trials trials(bound_, calibrated, {}, {*judged, make_preprocessing(spec_->input, *judged)}, how);
  const Sensitivity result = measure_sensitivity(trials);
  ASSERT_EQ(result.layers.size(), 28u);
  EXPECT_EQ(result.layers[0].name, "conv_dw_3");
  EXPECT_LT(result.layers[0].alone.sqnr_db, 20);
  EXPECT_GT(result.layers[0].rest.sqnr_db, result.all_int8.sqnr_db + 1);
  EXPECT_GT(result.layers[27].alone.sqnr_db, 20);
}

TEST_F(RealMobileNet, LayerErrorsGrowWithDepth) {
  const auto ours = make_engine("cpu", lower_static(bound_, table(Scheme::kMse), {}), {kBatch, ""});
  const LayerErrors errors = measure_layer_errors(*exact_, *ours, images(kCalibration, kJudged)(), kBatch);
  EXPECT_EQ(errors.images, kJudged);
  EXPECT_EQ(errors.logits.images, kJudged);
  EXPECT_GT(errors.find("quantize_input")->sqnr_db, 40);
  EXPECT_GT(errors.find("conv1")->sqnr_db, 35);
  EXPECT_LT(errors.find("conv_pw_13")->sqnr_db, 15);
  EXPECT_GT(errors.logits.sqnr_db(), 10);
  EXPECT_LT(errors.logits.sqnr_db(), 16);
  for (const LayerError& layer : errors.layers) EXPECT_TRUE(std::isfinite(layer.sqnr_db)) << layer.name;
}

}  // namespace
}  // namespace gpueval
