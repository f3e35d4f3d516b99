// SPDX-License-Identifier: Apache-2.0
// Analytic bias correction: its moments against numeric integration, its biases against a literal computation.
#include "quant/recipe/analytic_bias.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "core/random.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "gpueval/weights.h"
#include "graph/passes.h"

namespace gpueval::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ClippedNormal, EqualsNumericIntegration) {
  for (const double mean : {-3.0, -0.4, 0.0, 1.5, 5.8, 9.0}) {
    for (const double variance : {0.01, 1.0, 9.0}) {
      for (const double high : {6.0, kInfinity}) {
        const double sigma = std::sqrt(variance), step = sigma / 2000;
        double first = 0, second = 0, mass = 0;
        for (double x = mean - 9 * sigma; x < mean + 9 * sigma; x += step) {
          const double p = std::exp(-(x - mean) * (x - mean) / (2 * variance)), y = std::min(std::max(x, 0.0), high);
          mass += p;
          first += p * y;
          second += p * y * y;
        }
        first /= mass;
        const Moments found = clipped_normal({mean, variance}, 0, high);
        EXPECT_NEAR(found.mean, first, 1e-5 * (1 + sigma)) << mean << " " << variance << " " << high;
        EXPECT_NEAR(found.variance, second / mass - first * first, 1e-4 * (1 + variance)) << mean << " " << variance;
      }
    }
  }
  EXPECT_EQ(clipped_normal({-2, 0}, 0, 6).mean, 0);
  EXPECT_EQ(clipped_normal({7, 0}, 0, 6).mean, 6);
}

// A stem that the image feeds, a depthwise and a pointwise layer behind batch norms, a residual sum, a dense layer.
Graph network() {
  GraphBuilder g("normed");
  int x = g.relu6("stem_relu", g.batch_norm("stem_bn", g.conv2d("stem", g.input(8, 8, 3), 6, 3, 3, {.bias = false})));
  x = g.relu6("dw_relu", g.batch_norm("dw_bn", g.depthwise_conv2d("dw", x, 3, {.pad = Pad::kSame, .bias = false})));
  const int a = g.batch_norm("pw_bn", g.conv2d("pw", x, 6, 1, 1, {.bias = false}));
  x = g.relu("sum_relu", g.add("sum", {a, x}));
  return random_weights(g.finish(g.dense("logits", g.global_avg_pool("mean", x), 4)), 3);
}

CalibrationTable table_of(const Graph& bound) {
  CalibrationTable table;
  for (const Node& node : lower_float(bound).nodes) table.range[node.name] = 5.0f;
  return table;
}

TEST(AnalyticBias, MomentsFollowTheGraph) {
  const Graph expanded = expand_separable(network());
  const auto moments = batch_norm_moments(expanded);
  const auto at = [&](const char* name) { return moments[static_cast<std::size_t>(expanded.find(name))]; };
  EXPECT_TRUE(moments[0].empty());
  EXPECT_TRUE(at("stem").empty());
  const Node& norm = expanded.node(expanded.find("pw_bn"));
  const auto value = [&](Role role, std::size_t k) { return double{(*norm.find(role)->array.data)[k]}; };
  for (std::size_t k = 0; k < 6; ++k) {
    const Moments own = {value(Role::kBeta, k), value(Role::kGamma, k) * value(Role::kGamma, k)};
    EXPECT_DOUBLE_EQ(at("pw_bn")[k].mean, own.mean);
    EXPECT_DOUBLE_EQ(at("pw_bn")[k].variance, own.variance);
    const Moments other = at("dw_relu")[k];
    const Moments sum = clipped_normal({own.mean + other.mean, own.variance + other.variance}, 0, kInfinity);
    EXPECT_DOUBLE_EQ(at("mean")[k].mean, sum.mean);
  }
}

TEST(AnalyticBias, TakesTheMeanOfTheRoundingErrorAway) {
  const Graph bound = network(), exact = lower_float(bound);
  CalibrationTable table = table_of(bound);
  correct_biases_analytically(bound, {}, table);
  EXPECT_EQ(table.corrections.size(), 3u) << "dw, pw, logits; nothing is known of the stem's input";
  EXPECT_FALSE(table.corrections.contains("stem"));
  const Graph expanded = expand_separable(bound), lowered = lower_static(bound, table, {});
  const auto moments = batch_norm_moments(expanded);
  const Node& pw = exact.node(exact.find("pw"));
  const Node& integer = lowered.node(lowered.find("pw"));
  const double src = lowered.node(integer.inputs[0]).type.scale[0];
  const auto& input = moments[static_cast<std::size_t>(expanded.find("dw_relu"))];
  double largest = 0;
  for (std::size_t k = 0; k < 6; ++k) {
    const double step = integer.integer->m[k] * double{integer.type.scale[0]};
    double error = 0;
    for (std::size_t c = 0; c < 6; ++c) {
      const double w = (*pw.params[0].array.data)[c * 6 + k];
      error += (step / src * (*integer.integer->weights)[k * 6 + c] - w) * input[c].mean;
    }
    const double bias = (*pw.find(Role::kBias)->array.data)[k];
    EXPECT_NEAR(table.corrections["pw"].bias[k], bias - error, 0.501 * step) << k;
    largest = std::max(largest, std::abs(error) / step);
  }
  EXPECT_GT(largest, 5) << "there is something to correct";
}

TEST(AnalyticBias, NeedsBatchNorms) {
  GraphBuilder g("plain");
  const Graph bound = random_weights(g.finish(g.dense("logits", g.global_avg_pool("mean", g.input(4, 4, 3)), 4)), 1);
  CalibrationTable table = table_of(bound);
  EXPECT_THROW(correct_biases_analytically(bound, {}, table), Error);
}

}  // namespace
}  // namespace gpueval::test
