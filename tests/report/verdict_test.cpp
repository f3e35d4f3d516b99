// SPDX-License-Identifier: Apache-2.0
// VALID, NOISY or INVALID stands beside the number in every form of a result; the emulator's times are no result.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/conclusion.h"
#include "sample_report.h"

namespace gpueval {
namespace {

using testing::HasSubstr;
using testing::Not;

Report noisy_report() {
  Report report = test::sample_report();
  report.runs[1].speed->noise = {"latency varies by 97.0% (coefficient of variation; bound 10%)"};
  return report;
}

Report disturbed_report() {
  Report report = test::sample_report();
  report.conditions = Conditions{.seconds = 3, .cores = 4, .others_cores = 1.2, .cpus = {0, 1, 2, 3}};
  report.host.threads = 4;
  for (RunReport& run : report.runs) run.speed->disturbed = true;
  return report;
}

Report emulated_report() {
  Report report = test::sample_report();
  report.per_layer = true;
  for (RunReport& run : report.runs) {
    run.device = "emu";
    run.on_emulator = true;
    run.speed->emulated = true;
    run.layers[0].ms.reset();
  }
  return report;
}

TableReport table_of(Report report) {
  TableReport table;
  table.networks.push_back({"mobilenet 0.25", {"m.h5"}, "", std::move(report)});
  return table;
}

SensitivityReport sensitivity_of(const Report& report) {
  SensitivityReport result;
  result.found.layers.resize(1);
  result.mixed.emplace();
  result.mixed->conditions = report.conditions;
  for (const RunReport& run : report.runs) result.mixed->speed.push_back({run.precision, *run.speed});
  return result;
}

TEST(Verdict, OfOneResult) {
  SpeedResult speed{.valid = true};
  EXPECT_EQ(speed.verdict(), SpeedVerdict::kValid);
  speed.disturbed = true;
  EXPECT_EQ(speed.verdict(), SpeedVerdict::kNoisy);
  speed = {.valid = true, .noise = {"it varies"}};
  EXPECT_EQ(speed.verdict(), SpeedVerdict::kNoisy);
  speed.valid = false;
  EXPECT_EQ(speed.verdict(), SpeedVerdict::kInvalid);
}

TEST(Verdict, OfAReportIsTheWorst) {
  EXPECT_EQ(test::sample_report().verdict(), SpeedVerdict::kValid);
  Report report = noisy_report();
  EXPECT_EQ(report.verdict(), SpeedVerdict::kNoisy);
  EXPECT_TRUE(report.valid()) << "NOISY is valid: the minimum time and count were reached";
  report.runs[0].server = ServerResult{.valid = false};
  EXPECT_EQ(report.verdict(), SpeedVerdict::kInvalid);
  for (RunReport& run : report.runs) {
    run.speed.reset();
    run.server.reset();
  }
  EXPECT_EQ(report.verdict(), std::nullopt);
}

TEST(Verdict, StandsInTheTableBesideTheNumber) {
  const std::string text = to_table(noisy_report());
  EXPECT_THAT(text, HasSubstr("NOISY 3100"));
  EXPECT_THAT(text, HasSubstr("\nNOISY: int8 maxabs: latency varies by 97.0%"));
  EXPECT_THAT(text, HasSubstr("3.1 times the\nimages/s (NOISY)."));
  EXPECT_THAT(text, Not(HasSubstr("NOISY 1000"))) << "float32 is VALID";
  EXPECT_TRUE(text.ends_with("Result is: NOISY\n")) << text;
}

TEST(Verdict, OfOtherProgramsHoldsForAllRowsAndSaysWhatHelps) {
  const std::string text = to_table(disturbed_report());
  EXPECT_THAT(text, HasSubstr("NOISY 1000"));
  EXPECT_THAT(text, HasSubstr("NOISY 3100"));
  EXPECT_THAT(text, HasSubstr("\nNOISY: other programs kept 1.2 of the 4 cores busy"));
  EXPECT_THAT(text, HasSubstr("`taskset -c 2,3` and --threads 2"));
}

TEST(Verdict, StandsInScenarios) {
  Report report = noisy_report();
  report.scenario = "offline";
  EXPECT_THAT(to_table(report), HasSubstr("int8 maxabs: 3100 images/s (NOISY) in batches"));
  report.scenario = "single-stream";
  EXPECT_THAT(to_table(report), HasSubstr("p90 latency 1.25 ms (NOISY)."));
  report.scenario = "server";
  report.runs[1].server =
      ServerResult{.latency_bound_ms = 15, .queries_per_second = 80, .valid = true, .disturbed = true};
  report.runs[1].server->trials = {{.rate = 80, .queries = 2400, .complete = true, .met = true}};
  EXPECT_THAT(to_table(report), HasSubstr("80.00 queries/s (NOISY) of random arrivals"));
  EXPECT_THAT(to_html(report), HasSubstr("80.00 queries/s (NOISY) within 15 ms"));
  EXPECT_EQ(nlohmann::json::parse(to_json(report))["runs"][1]["server"]["verdict"], "NOISY");
}

TEST(Verdict, StandsInHtml) {
  const std::string html = to_html(noisy_report());
  EXPECT_THAT(html, HasSubstr("NOISY 3100"));
  EXPECT_THAT(html, HasSubstr("<p class=\"warn\">NOISY: int8 maxabs: latency varies by 97.0%"));
  EXPECT_THAT(html, HasSubstr("int8 maxabs (NOISY)")) << "in the charts";
  EXPECT_THAT(html, HasSubstr("<dd>NOISY</dd>"));
}

TEST(Verdict, IsAFieldOfTheJson) {
  const nlohmann::json json = nlohmann::json::parse(to_json(disturbed_report()));
  EXPECT_EQ(json["verdict"], "NOISY");
  EXPECT_EQ(json["valid"], true);
  EXPECT_EQ(json["runs"][0]["speed"]["verdict"], "NOISY");
  EXPECT_EQ(json["runs"][0]["speed"]["valid"], true);
  EXPECT_EQ(json["conditions"]["noise"].size(), 1u);
  EXPECT_EQ(nlohmann::json::parse(to_json(noisy_report()))["runs"][1]["speed"]["noise"].size(), 1u);
  EXPECT_EQ(nlohmann::json::parse(to_json(test::sample_report()))["verdict"], "VALID");
}

TEST(Verdict, StandsInTheTableOfNetworksAndItsMarkdown) {
  for (const auto& form :
       {to_text(table_of(noisy_report())), to_markdown(table_of(noisy_report())), to_html(table_of(noisy_report()))}) {
    EXPECT_THAT(form, HasSubstr("NOISY 3100"));
    EXPECT_THAT(form, HasSubstr("mobilenet 0.25: NOISY: int8 maxabs: latency"));
  }
  EXPECT_THAT(to_text(table_of(disturbed_report())), HasSubstr("NOISY: other programs kept 1.2"));
}

TEST(Verdict, StandsInTheSpeedOfASensitivity) {
  for (const auto& form : {to_text(sensitivity_of(noisy_report())), to_html(sensitivity_of(noisy_report()))}) {
    EXPECT_THAT(form, HasSubstr("NOISY: int8: latency varies by 97.0%"));
  }
  EXPECT_THAT(to_text(sensitivity_of(noisy_report())), HasSubstr("3100  NOISY"));
  EXPECT_THAT(to_text(sensitivity_of(disturbed_report())), HasSubstr("taskset -c"));
  const nlohmann::json json = nlohmann::json::parse(to_json(sensitivity_of(noisy_report())));
  EXPECT_EQ(json["mixed"]["speed"][1]["speed"]["verdict"], "NOISY");
}

TEST(Verdict, StandsBesideTimesOfLayers) {
  Report report = test::sample_report();
  report.layer_conditions = Conditions{.seconds = 1, .cores = 2, .others_cores = 1.5};
  report.roofs = DeviceRoofs{"cpu", "avx2, 2 threads", 0.25, 100, 10, {"int8: layer c was faster"}};
  report.runs[1].layers[0].profile = LayerProfile{.gops = 40, .gbs = 0.8, .intensity = 488};
  const std::string text = to_layer_tables(report);
  EXPECT_THAT(text, HasSubstr("0.500 ms together (NOISY: other programs kept 1.5 of the 2 cores"));
  EXPECT_THAT(text, HasSubstr("int8 0.25 GOPS, float32 100 GFLOPS, copy 10.0 GB/s. NOISY:\nint8: layer c was faster."));
  EXPECT_THAT(to_html(report), HasSubstr("0.500 ms together (NOISY: other programs"));
  EXPECT_EQ(nlohmann::json::parse(to_json(report))["roofs"]["remarks"][0], "int8: layer c was faster");
}

TEST(Verdict, EmulatedTimesAreNoSpeed) {
  const Report report = emulated_report();
  const std::string text = to_table(report);
  EXPECT_THAT(text, HasSubstr("emulated: times say nothing about a GPU"));
  for (const std::string& form : {text, to_html(report), to_text(table_of(report)), to_markdown(table_of(report)),
                                  to_html(table_of(report)), to_text(sensitivity_of(report))}) {
    for (const char* claim : {"3100", "3.10x", "3.1 times", "Result is", "VALID", "NOISY"})
      EXPECT_THAT(form, Not(HasSubstr(claim)));
    EXPECT_THAT(form, HasSubstr("emulated: times say nothing about a GPU"));
  }
  EXPECT_THAT(to_layer_tables(report), HasSubstr("Layers of int8 maxabs, batch 1; emulated: times say nothing"));
  EXPECT_THAT(to_layer_tables(report), HasSubstr("some_kernel"));
  const nlohmann::json json = nlohmann::json::parse(to_json(report));
  EXPECT_TRUE(json["verdict"].is_null());
  EXPECT_TRUE(json["runs"][1]["speed"]["verdict"].is_null());
  EXPECT_EQ(json["runs"][1]["speed"]["emulated"], true);
  EXPECT_FALSE(json["runs"][1]["speed"].contains("vs_first"));
}

}  // namespace
}  // namespace gpueval
