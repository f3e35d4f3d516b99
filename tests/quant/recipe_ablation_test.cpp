// SPDX-License-Identifier: Apache-2.0
// What each calibration method and correction is worth on real data: prints docs/quantization.md's tables. Minutes, so
// it runs only when asked for:
//   test_quant --gtest_also_run_disabled_tests --gtest_filter='Networks/RecipeAblation*'
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <functional>

#include "recipe_judge.h"

namespace gpueval::test {
namespace {

struct Row {
  std::string name;
  std::function<void(QuantOptions&)> change;
};

class RecipeAblation : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(Judge::weight_file(GetParam()))) {
      GTEST_SKIP() << Judge::weight_file(GetParam()) << " is not there";
    }
  }
  static void print(const std::vector<Row>& rows, Judge& judge) {
    fmt::print(
        "| recipe | agreement | SQNR dB | KL | top-1 | difference | p | s |\n|---|---|---|---|---|---|---|---|\n");
    for (const Row& row : rows) {
      QuantOptions options;
      row.change(options);
      const auto start = std::chrono::steady_clock::now();
      const CalibrationTable table = calibrate(judge.graph(), judge.images(), options);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      const Judgement j = judge.judge(table, options);
      fmt::print("| {} | {:.4f} | {:.2f} | {:.5f} | {:.4f} | {:+.2f} | {:.3f} | {:.1f} |\n", row.name, j.agreement,
                 j.sqnr_db, j.kl, j.top1, 100 * j.top1_diff, j.p, seconds.count());
      std::fflush(stdout);
      EXPECT_TRUE(std::isfinite(j.kl)) << row.name;
    }
  }
};

const std::vector<Row> kLadder = {
    {"max-abs", [](QuantOptions&) {}},
    {"+ clip search", [](QuantOptions& o) { o.corrections.clip_search = true; }},
    {"+ bias", [](QuantOptions& o) { o.corrections.clip_search = o.corrections.bias = true; }},
    {"(analytic bias in its place)",
     [](QuantOptions& o) { o.corrections.clip_search = o.corrections.analytic_bias = true; }},
    {"+ channel scales",
     [](QuantOptions& o) { o.corrections.clip_search = o.corrections.bias = o.corrections.channel_scales = true; }},
    {"+ GPTQ",
     [](QuantOptions& o) {
       o.corrections.clip_search = o.corrections.bias = o.corrections.channel_scales = o.corrections.gptq = true;
     }},
    {"+ bias after the activation",
     [](QuantOptions& o) {
       o.corrections = default_corrections(Scheme::kBest);
       o.corrections.asymmetric = false;
     }},
    {"+ asymmetric target", [](QuantOptions& o) { o.corrections = default_corrections(Scheme::kBest); }},
    {"+ flips",
     [](QuantOptions& o) {
       o.corrections = default_corrections(Scheme::kBest);
       o.corrections.flips = true;
     }},
};

TEST_P(RecipeAblation, DISABLED_Methods) {
  Judge judge(GetParam());
  print({{"maxabs", [](QuantOptions& o) { o.scheme = Scheme::kMaxAbs; }},
         {"percentile 99.99", [](QuantOptions& o) { o.scheme = Scheme::kPercentile; }},
         {"entropy", [](QuantOptions& o) { o.scheme = Scheme::kEntropy; }},
         {"mse", [](QuantOptions& o) { o.scheme = Scheme::kMse; }},
         {"maxabs, s8 activations", [](QuantOptions& o) { o.activations = DType::kS8; }},
         {"maxabs, one scale a layer's weights", [](QuantOptions& o) { o.weights_per_channel = false; }}},
        judge);
}

TEST_P(RecipeAblation, DISABLED_Ladder) {
  Judge judge(GetParam());
  std::vector<Row> rows = kLadder;
  // SqueezeNet has no batch norm to predict from.
  if (GetParam() == "squeezenet") std::erase_if(rows, [](const Row& row) { return row.name.starts_with('('); });
  print(rows, judge);
}

// Chooses between recipes without the judged images: calibrated on one half of the calibration images, judged on the
// other, both ways.
TEST_P(RecipeAblation, DISABLED_HeldOut) {
  using Change = void (*)(Corrections&);
  const std::vector<std::pair<const char*, Change>> rows = {
      {"all", [](Corrections&) {}},
      {"without flips", [](Corrections& c) { c.flips = false; }},
      {"without clip search", [](Corrections& c) { c.clip_search = false; }},
      {"without bias after the activation", [](Corrections& c) { c.bias_after_activation = false; }},
      {"without channel scales", [](Corrections& c) { c.channel_scales = false; }},
      {"without GPTQ", [](Corrections& c) { c.gptq = c.asymmetric = false; }},
      {"without the asymmetric target", [](Corrections& c) { c.asymmetric = false; }},
  };
  constexpr std::size_t kHalf = Judge::kCalibrated / 2;
  Judge first(GetParam()), second(GetParam());
  fmt::print("| {} | SQNR dB | KL |\n|---|---|---|\n", GetParam());
  for (const auto& [name, change] : rows) {
    QuantOptions options{.corrections = default_corrections(Scheme::kBest)};
    options.corrections.flips = true;
    change(options.corrections);
    const Judgement a = first.judge(calibrate(first.graph(), first.images(0, kHalf), options), options, kHalf, kHalf);
    const Judgement b =
        second.judge(calibrate(second.graph(), second.images(kHalf, kHalf), options), options, 0, kHalf);
    fmt::print("| {} | {:.2f} | {:.5f} |\n", name, (a.sqnr_db + b.sqnr_db) / 2, (a.kl + b.kl) / 2);
    std::fflush(stdout);
    EXPECT_GT(a.sqnr_db + b.sqnr_db, 0) << name;
  }
}

// Time and memory of a big network: 128 images without meaning, random weights.
TEST(RecipeTime, DISABLED_ResNet50Time) {
  const ModelSpec& spec = find_model("resnet50");
  const Graph graph = random_weights(spec.build({}), 1);
  const auto data = open_synthetic(spec.input.height, spec.input.width, 128, 1);
  const CalibrationImages images = [&] {
    return image_source(*data, make_preprocessing(spec.input, *data), 0, 128, nullptr);
  };
  const auto start = std::chrono::steady_clock::now();
  QuantOptions options{.corrections = default_corrections(Scheme::kBest)};
  const CalibrationTable table = calibrate(graph, images, options);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("ResNet50: {:.0f} s, {:.1f} GiB resident at most, {} layers\n", seconds.count(),
             static_cast<double>(usage.ru_maxrss) / 1048576.0, table.corrections.size());
  EXPECT_EQ(table.corrections.size(), 54u);
}

INSTANTIATE_TEST_SUITE_P(Networks, RecipeAblation, testing::Values("mobilenet", "squeezenet"),
                         [](const auto& network) { return network.param; });

}  // namespace
}  // namespace gpueval::test
