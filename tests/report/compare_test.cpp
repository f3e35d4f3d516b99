// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sample_report.h"

namespace gpueval {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

Report with_server(double bound_ms, double rate) {
  Report report = test::sample_report();
  report.scenario = "server";
  report.runs[1].server =
      ServerResult{.latency_bound_ms = bound_ms, .queries_per_second = rate, .capacity = 100, .valid = true};
  return report;
}

class Compare : public ::testing::Test {
 protected:
  Compare()
      : stem_((std::filesystem::temp_directory_path() / ("gpueval_compare_" + std::to_string(::getpid()))).string()) {}
  ~Compare() override {
    std::filesystem::remove(stem_ + "a");
    std::filesystem::remove(stem_ + "b");
  }
  std::string text(const Report& a, const Report& b) const {
    std::ofstream(stem_ + "a") << to_json(a);
    std::ofstream(stem_ + "b") << to_json(b);
    return compare_results(stem_ + "a", stem_ + "b");
  }
  std::string stem_;
};

TEST_F(Compare, PairsTheAnswersOfTheSameImages) {
  Report b = test::sample_report();
  b.runs.erase(b.runs.begin());
  b.runs[0].precision = "float32";  // int8's answers against float32's: 1 only in B, 3 only in A
  b.runs[0].scheme = b.runs[0].activations = "";
  const std::string out = text(test::sample_report(), b);
  EXPECT_NE(out.find("float32: same images: 1 right only in B, 3 only in A; exact McNemar test p 0.62."),
            std::string::npos)
      << out;
  EXPECT_NE(out.find("-0.40 points"), std::string::npos) << out;
  EXPECT_NE(out.find("3.100x"), std::string::npos) << out;
}

TEST_F(Compare, OtherImagesAreNotPaired) {
  const auto unpaired = [&](auto&& change) {
    Report b = test::sample_report();
    change(b);
    return text(test::sample_report(), b).find("two-proportion z-test (unpaired") != std::string::npos;
  };
  EXPECT_FALSE(unpaired([](Report&) {}));
  EXPECT_TRUE(unpaired([](Report& b) { b.data->target_sha256 = std::string(64, 'd'); }));
  EXPECT_TRUE(unpaired([](Report& b) { b.data->first = 0; }));
  EXPECT_TRUE(unpaired([](Report& b) { b.data->skipped[0].index = 119; })) << "other images were skipped";
}

TEST_F(Compare, NoisySpeedIsToldBesideTheNumbers) {
  EXPECT_THAT(text(test::sample_report(), test::sample_report()), Not(HasSubstr("speed is")));
  Report b = test::sample_report();
  b.runs[1].speed->noise = {"it varies"};
  EXPECT_THAT(text(test::sample_report(), b), ContainsRegex("int8 maxabs +speed is +VALID +NOISY"));
  b.runs[1].speed->valid = false;
  EXPECT_THAT(text(b, test::sample_report()), ContainsRegex("int8 maxabs +speed is +INVALID +VALID"));
  b.runs[1].speed->emulated = true;
  EXPECT_THAT(text(b, test::sample_report()), AllOf(ContainsRegex("int8 maxabs +speed is +emulated +VALID"),
                                                    Not(ContainsRegex("int8 maxabs +images/s"))));
}

TEST_F(Compare, RunsWithoutACounterpartSaySo) {
  Report b = test::sample_report();
  for (RunReport& run : b.runs) run.precision = "float16";
  EXPECT_NE(text(test::sample_report(), b).find("nothing to compare"), std::string::npos);
}

TEST_F(Compare, ServerRatesUnderTheSameBound) {
  EXPECT_THAT(text(with_server(15, 80), with_server(15, 60)),
              AllOf(ContainsRegex("server queries/s +80 +60 +0.750x"),
                    HasSubstr("int8 maxabs: server: p99 within 15 ms."), Not(HasSubstr("do not compare"))));
}

TEST_F(Compare, ServerRatesUnderTwoBoundsAreCalledSo) {
  EXPECT_THAT(text(with_server(15, 80), with_server(20, 90)),
              HasSubstr("p99 within 15 ms in A, p99 within 20 ms in B: the rates do not compare"));
}

TEST_F(Compare, TellsWhatDisturbedOneOfThem) {
  Report disturbed = test::sample_report();
  disturbed.conditions = Conditions{.seconds = 3, .cores = 2, .others_cores = 1.25};
  EXPECT_THAT(text(test::sample_report(), disturbed),
              AllOf(HasSubstr("B: other programs kept 1.2 of the 2 cores busy"), Not(HasSubstr("A: other programs"))));
}

}  // namespace
}  // namespace gpueval
