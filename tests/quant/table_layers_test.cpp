// SPDX-License-Identifier: Apache-2.0
// A calibration table against its network: what is missing, too much or of another size is named with its layer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "../support/test_networks.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"

namespace gpueval {
namespace {

using testing::HasSubstr;

class TableLayers : public testing::Test {
 protected:
  TableLayers() : graph_(test::everything(Activation::kNone)) { test::bind_random(graph_, 3); }

  CalibrationTable calibrated(const QuantOptions& options) const {
    const std::vector<float> pixels = test::random_images(graph_, 4, 1);
    return calibrate(
        graph_,
        [&]() -> BatchSource {
          return [&pixels, done = false](std::vector<float>& batch, int) mutable {
            if (std::exchange(done, true)) return 0;
            batch = pixels;
            return 4;
          };
        },
        options);
  }
  std::string error(const CalibrationTable& table, const QuantOptions& options) const {
    try {
      check_table_layers(table, graph_, options, "t.json");
      return "none";
    } catch (const Error& error) {
      return error.what();
    }
  }
  static QuantOptions best() { return {.scheme = Scheme::kBest, .corrections = default_corrections(Scheme::kBest)}; }

  Graph graph_;
};

TEST_F(TableLayers, WhatCalibrateGivesIsWhole) {
  EXPECT_EQ(error(calibrated(best()), best()), "none");
  const QuantOptions maxabs{.scheme = Scheme::kMaxAbs};
  EXPECT_EQ(error(calibrated(maxabs), maxabs), "none");
  const QuantOptions entropy{.scheme = Scheme::kEntropy, .activations = DType::kS8, .corrections = {.bias = true}};
  EXPECT_EQ(error(calibrated(entropy), entropy), "none");
  QuantOptions mixed = best();
  mixed.float_layers = {"left"};
  EXPECT_EQ(error(calibrated(mixed), mixed), "none");
  EXPECT_THAT(error(calibrated(mixed), best()), HasSubstr("lacks the bias of layer 'left'"));
}

TEST_F(TableLayers, EveryDeviationIsNamed) {
  const CalibrationTable whole = calibrated(best());
  const auto refused = [&](const std::function<void(CalibrationTable&)>& change, const char* words) {
    CalibrationTable table = whole;
    change(table);
    EXPECT_THAT(error(table, best()), HasSubstr(words));
  };
  refused([](CalibrationTable& t) { t.range["nowhere"] = 1; }, "a layer 'nowhere', which");
  refused([](CalibrationTable& t) { t.range.erase("left"); }, "no range of layer 'left'");
  refused([](CalibrationTable& t) { t.range["dw"] = 7; }, "beyond the 6 of ReLU6, of layer 'dw'");
  refused([](CalibrationTable& t) { t.channel_scale["nowhere"] = {1}; }, "scales per channel of a layer 'nowhere'");
  refused([](CalibrationTable& t) { t.channel_scale.clear(); }, "lacks the scales per channel of layer");
  refused([](CalibrationTable& t) { t.zero_point["nowhere"] = 9; }, "a zero point of a layer 'nowhere'");
  refused([](CalibrationTable& t) { t.zero_point["left"] = 9; }, "gives no zero point, but it has one of layer 'left'");
  refused([](CalibrationTable& t) { t.corrections["nowhere"] = {}; }, "corrections of a layer 'nowhere'");
  refused([](CalibrationTable& t) { t.corrections["average"] = {}; }, "of layer 'average'");
  refused([](CalibrationTable& t) { t.corrections.clear(); }, "lacks the bias of layer");
  refused([](CalibrationTable& t) { t.corrections.erase("left"); }, "lacks the bias of layer 'left'");
  refused([](CalibrationTable& t) { t.corrections["left"].bias.clear(); }, "lacks the bias of layer 'left'");
  refused([](CalibrationTable& t) { t.corrections["left"].bias.pop_back(); }, "6 biases, not 7, of layer 'left'");
  refused([](CalibrationTable& t) { t.corrections["left"].weights.pop_back(); }, "weights, not");
  refused([](CalibrationTable& t) { t.corrections["left"].weight_scale.push_back(1); }, "8 weight scales, not 7,");
  refused([](CalibrationTable& t) { t.corrections["left"].weights.clear(); }, "of layer 'left'");
  const QuantOptions maxabs{.scheme = Scheme::kMaxAbs};
  EXPECT_THAT(error(whole, maxabs), HasSubstr("gives no scales per channel"));
  CalibrationTable corrected = calibrated(maxabs);
  corrected.corrections["left"].bias.assign(7, 0.0f);
  EXPECT_THAT(error(corrected, maxabs), HasSubstr("keeps the bias, but it has another of layer 'left'"));
}

TEST_F(TableLayers, RangesThatSilenceOrOverflowALayerAreNamed) {
  const QuantOptions maxabs{.scheme = Scheme::kMaxAbs};
  const auto lowered = [&](float range) -> std::string {
    CalibrationTable table = calibrated(maxabs);
    table.range["left"] = range;
    try {
      lower_static(graph_, table, maxabs);
      return "none";
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(lowered(3), "none");
  EXPECT_EQ(lowered(0), "none");
  EXPECT_THAT(lowered(1e-45f), HasSubstr("layer 'left'"));
  EXPECT_THAT(lowered(1e-38f), HasSubstr("layer 'left'"));
  EXPECT_THAT(lowered(3e38f), HasSubstr("scales of layer 'left'"));
}

}  // namespace
}  // namespace gpueval
