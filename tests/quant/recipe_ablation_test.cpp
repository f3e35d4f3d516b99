// SPDX-License-Identifier: Apache-2.0
// What each calibration method and correction is worth on real data: prints docs/quantization.md's tables. Minutes, so
// it runs only when asked for:
//   test_quant --gtest_also_run_disabled_tests --gtest_filter='Networks/RecipeAblation*'
#include <gtest/gtest.h>

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
      EXPECT_GT(j.agreement, 0.01) << row.name;
    }
  }
};

const std::vector<Row> kLadder = {
    {"max-abs", [](QuantOptions&) {}},
    {"+ clip search", [](QuantOptions& o) { o.corrections.clip_search = true; }},
    {"+ bias", [](QuantOptions& o) { o.corrections.clip_search = o.corrections.bias = true; }},
    {"+ channel scales",
     [](QuantOptions& o) { o.corrections.clip_search = o.corrections.bias = o.corrections.channel_scales = true; }},
    {"+ GPTQ",
     [](QuantOptions& o) {
       o.corrections.clip_search = o.corrections.bias = o.corrections.channel_scales = o.corrections.gptq = true;
     }},
    {"+ bias after the activation",
     [](QuantOptions& o) {
       o.corrections = default_corrections(Scheme::kBest);
       o.corrections.asymmetric = o.corrections.flips = false;
     }},
    {"+ asymmetric target",
     [](QuantOptions& o) {
       o.corrections = default_corrections(Scheme::kBest);
       o.corrections.flips = false;
     }},
    {"+ flips", [](QuantOptions& o) { o.corrections = default_corrections(Scheme::kBest); }},
};

TEST_P(RecipeAblation, DISABLED_Ladder) {
  Judge judge(GetParam());
  print(kLadder, judge);
}

INSTANTIATE_TEST_SUITE_P(Networks, RecipeAblation, testing::Values("mobilenet", "squeezenet"),
                         [](const auto& network) { return network.param; });

}  // namespace
}  // namespace gpueval::test
