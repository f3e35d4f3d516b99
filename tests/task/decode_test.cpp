// SPDX-License-Identifier: Apache-2.0
#include "task/detection/decode.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr std::size_t kStride = 101;

nlohmann::json golden() {
  std::ifstream file(GPUEVAL_SOURCE_DIR "/tests/golden/priors/priors.json");
  return nlohmann::json::parse(file);
}

std::vector<float> uniforms(std::uint64_t seed, std::size_t count, double lo, double hi) {
  Random random(seed);
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(static_cast<float>(random.uniform(lo, hi)));
  return values;
}

std::vector<float> scores_of(const Priors& priors, std::uint64_t seed) {
  const auto channels = static_cast<std::size_t>(priors.score_channels());
  if (priors.scores == ScoreForm::kProbabilities) return uniforms(seed, priors.boxes.size() * channels, -0.9, 0.1);
  std::vector<float> logits = uniforms(seed, priors.boxes.size() * channels, -4, 4);
  for (std::size_t i = 0; i < logits.size(); i += channels) logits[i] += 6;
  return logits;
}

TEST(Priors, EmbeddedOnesAreNumpys) {
  const nlohmann::json all = golden();
  for (const auto& [name, expected] : all.items()) {
    const Priors priors = read_priors(name);
    ASSERT_EQ(priors.boxes.size(), expected["count"]) << name;
    std::array<double, 4> sum{};
    for (const Prior& p : priors.boxes) sum[0] += p.cx, sum[1] += p.cy, sum[2] += p.width, sum[3] += p.height;
    for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(sum[k] / expected["sum"][k].get<double>(), 1, 1e-7) << name;
    for (std::size_t i = 0; i < expected["priors"].size(); ++i) {
      const Prior& p = priors.boxes[i * kStride];
      const auto& row = expected["priors"][i];
      EXPECT_NEAR(p.cx, row[0].get<double>(), 1e-6) << name << ' ' << i;
      EXPECT_NEAR(p.cy, row[1].get<double>(), 1e-6) << name << ' ' << i;
      EXPECT_NEAR(p.width, row[2].get<double>(), 1e-6) << name << ' ' << i;
      EXPECT_NEAR(p.height, row[3].get<double>(), 1e-6) << name << ' ' << i;
    }
  }
  EXPECT_EQ(all.size(), 5u);
  for (const std::string& name : embedded_priors()) EXPECT_NO_THROW(read_priors(name + ".json")) << name;
}

TEST(Decode, IsNumpys) {
  const nlohmann::json all = golden();
  for (const auto& [name, expected] : all.items()) {
    const Priors priors = read_priors(name);
    const auto seed = expected["seed"].get<std::uint64_t>();
    const std::vector<FoundBox> found = detect(
        priors, thresholds_of(priors), uniforms(seed, 4 * priors.boxes.size(), -2, 2), scores_of(priors, seed + 1));
    ASSERT_EQ(found.size(), expected["found"]) << name;
    std::array<double, 6> sum{};
    for (std::size_t i = 0; i < found.size(); ++i) {
      const FoundBox& f = found[i];
      const double row[] = {double(f.category), f.score, f.x1, f.y1, f.x2, f.y2};
      for (std::size_t k = 0; k < 6; ++k) {
        sum[k] += row[k];
        if (i >= expected["first"].size()) continue;
        EXPECT_NEAR(row[k], expected["first"][i][k].get<double>(), 1e-6) << name << ' ' << i << ' ' << k;
      }
    }
    for (std::size_t k = 0; k < 6; ++k)
      EXPECT_NEAR(sum[k], expected["found_sum"][k].get<double>(), 1e-6 * static_cast<double>(found.size())) << name;
  }
}

TEST(Decode, SuppressionKeepsWhatTouchesTheThreshold) {
  // The second has half of the first's area in common, and is half of it: IoU .5. The third lies apart.
  const Candidates boxes{{.9f, .8f, .7f}, {0, 0, 5}, {0, 0, 5}, {2, 1, 6}, {1, 1, 6}};
  EXPECT_EQ(non_maximum_suppression(boxes, 0.5f), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(non_maximum_suppression(boxes, 0.49f), (std::vector<std::size_t>{0, 2}));
  EXPECT_TRUE(non_maximum_suppression({}, 0.5f).empty());
}

Priors two_priors() {
  return parse_priors(R"({"name": "two", "input": [10, 10], "maps": [{"cells": [1, 2], "boxes": [[0.5, 0.5]]}],
                          "variances": [0.1, 0.1, 0.2, 0.2], "classes": ["a", "b"], "scores": "sigmoid"})",
                      "two.json");
}

TEST(Decode, ScoresThatAreNoNumbersFindNothing) {
  const Priors priors = two_priors();
  const float nan = std::nanf("");
  const std::vector<float> offsets(8, 0.0f);
  EXPECT_TRUE(detect(priors, thresholds_of(priors), offsets, std::vector{nan, nan, -9.0f, nan}).empty());
  const auto found = detect(priors, thresholds_of(priors), offsets, std::vector{nan, 0.0f, 2.0f, -9.0f});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].category, 0);
  EXPECT_NEAR(found[0].score, 1 / (1 + std::exp(-2.0)), 1e-7);
  EXPECT_EQ(found[1].category, 1);
  EXPECT_EQ(found[1].score, 0.5f);
  EXPECT_EQ(found[1].x1, 0.0f);
  EXPECT_EQ(found[1].x2, 0.5f);
}

std::string message_of(const std::string& json) {
  try {
    parse_priors(json, "p.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Priors, FaultsAreNamed) {
  const std::string good =
      R"({"name": "p", "input": [10, 10], "maps": [{"cells": [1, 1], "sizes": [0.5], "ratios": [1]}],
      "variances": [0.1, 0.1, 0.2, 0.2], "classes": ["a"]})";
  EXPECT_EQ(message_of(good), "no error");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return message_of(text);
  };
  for (const auto& [from, to, named] :
       std::vector<std::array<std::string, 3>>{{R"("name": "p")", R"("nam": "p")", "nam"},
                                               {"[10, 10]", "[10]", "input"},
                                               {"[1, 1]", "[0, 1]", "cells"},
                                               {"[1, 1]", "[1, 100000]", "cells"},
                                               {"[0.5]", "[-0.5]", "sizes"},
                                               {"[0.5]", "[]", "sizes"},
                                               {R"("ratios": [1])", R"("ratios": ["x"])", "ratios"},
                                               {"0.1, 0.1, 0.2, 0.2", "0.1, 0.1", "variances"},
                                               {R"(["a"])", R"(["a", "a"])", "classes"},
                                               {R"(["a"])", R"(["a"], "scores": "logits")", "scores"},
                                               {R"(["a"])", R"(["a"], "nms_threshold": 2)", "nms_threshold"},
                                               {R"(["a"])", R"(["a"], "category_ids": [1, 2])", "category_ids"},
                                               {R"(["a"])", R"(["a"], "keep": -1)", "keep"},
                                               {"\"maps\"", "maps", "is no JSON"}}) {
    const std::string message = with(from, to);
    EXPECT_NE(message.find("p.json"), std::string::npos) << message;
    EXPECT_NE(message.find(named), std::string::npos) << message;
  }
  EXPECT_THROW(read_priors("no_such_priors"), Error);
}

TEST(Priors, OrdersAndUnits) {
  const auto widths = [](const std::string& order) {
    const Priors priors = parse_priors(R"({"name": "p", "input": [100, 200], "unit": "pixels", "order": ")" + order +
                                           R"(", "maps": [{"cells": [1, 1], "sizes": [20, 60], "ratios": [1, 4]}],
                                           "variances": [0.1, 0.1, 0.2, 0.2], "classes": ["a"]})",
                                       "p.json");
    std::vector<float> result;
    for (const Prior& p : priors.boxes) result.push_back(std::round(p.width * 200));
    EXPECT_FLOAT_EQ(priors.boxes[0].height, 0.2f);
    EXPECT_FLOAT_EQ(priors.boxes[0].cx, 0.5f);
    return result;
  };
  EXPECT_EQ(widths("sizes-then-ratios"), (std::vector<float>{20, 60, 40}));
  EXPECT_EQ(widths("by-size"), (std::vector<float>{20, 40, 60, 120}));
  EXPECT_EQ(widths("by-ratio"), (std::vector<float>{20, 60, 40, 120}));
}

}  // namespace
}  // namespace gpueval
