// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <sstream>

#include "report/conclusion.h"
#include "report/text_table.h"
#include "sample_report.h"

namespace gpueval {
namespace {

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) longest = std::max(longest, line.size());
  return longest;
}

TEST(Console, TableOfASample) {
  EXPECT_EQ(to_table(test::sample_report()),
            R"(gpu_eval 0.1.0 (0123456789ab)
Model    mobilenet 0.25, 475,544 parameters, 41 million multiply-adds, input 224x224
Weights  weights.h5 (sha256 aaaaaaaaaaaa)
Data     val.pkl, images 101 to 602, crop224_tf
Device   cpu: Some CPU @ 3 GHz, 2 threads, int8: avx2

precision     top-1   top-5      95% CI   diff     p  agree  images/s  p50 ms  p90 ms  p99 ms  speed
-----------  ------  ------  ----------  -----  ----  -----  --------  ------  ------  ------  -----
float32      56.40%  78.60%  52.0..60.7                          1000    1.00    1.25    2.50
int8 maxabs  56.00%  78.60%  51.6..60.3  -0.40  0.62  95.0%      3100    1.00    1.25    2.50  3.10x

int8 maxabs: 0.4 points lower top-1 than float32 (p = 0.62: not a significant difference at 5%), 3.1 times the
images/s.
diff: points of top-1 against float32; p: exact McNemar test; agree: same top-1 class; 95% CI: Wilson.
500 images judged in 3.2 s, decoding included.
2 images could not be decoded and were skipped: image 117, image 118.
Calibration: 100 images of the data, not judged again.
Speed: batch 1, images of the data, warm-up 0 ms; samples 3,000 x float32, 3,000 x int8 maxabs.
int8 maxabs: 3.10x, 3.00x to 3.25x between rounds (10th to 90th percentile).
Result is: VALID
)");
}

// Of five classes every answer has the label among its five.
TEST(Console, TopFiveOfFiveClassesIsLeftOut) {
  Report report = test::sample_report();
  report.model.classes = 5;
  EXPECT_NE(to_table(report).find("float32      56.40%      -  52.0..60.7"), std::string::npos) << to_table(report);
  report.model.classes = 6;
  EXPECT_NE(to_table(report).find("float32      56.40%  78.60%"), std::string::npos) << to_table(report);
}

TEST(Console, StaysWithin110ColumnsWithLongNames) {
  Report report = test::sample_report();
  report.model.name = "inceptionv3";
  report.model.weights = report.data->path = report.calibration->path =
      "/a/" + std::string(200, 'x') + "/val224_compressed.pkl";
  for (RunReport& run : report.runs) {
    std::vector<bool> correct(500, true);
    correct[0] = false;
    run.accuracy = test::classified(correct, 499);
    run.speed->images_per_second = 123456;
    run.speed->percentiles_ms = {{50, 12345}, {90, 12345}, {99, 12345}};
    run.speed->warnings = {std::string(60, 'w') + " " + std::string(60, 'w')};
  }
  report.runs[1].scheme = "reference";
  report.runs[1].depthwise = "float32";
  report.runs[1].vs_first->p = 0;
  const std::string text = to_table(report);
  EXPECT_LE(longest_line(text), 110u) << text;
  EXPECT_NE(text.find("int8 reference-pw: the depthwise layers are left in float32."), std::string::npos);
}

TEST(Console, WithoutAccuracyItsColumnsAreLeftOut) {
  Report report = test::sample_report();
  report.data.reset();
  for (RunReport& run : report.runs) {
    run.accuracy.reset();
    run.vs_first.reset();
  }
  const std::string text = to_table(report);
  EXPECT_EQ(text.find("top-1"), std::string::npos) << text;
  EXPECT_NE(text.find("int8 maxabs: 3.1 times the images/s of float32."), std::string::npos) << text;
}

TEST(Console, InvalidNamesItsReasons) {
  Report report = test::sample_report();
  report.runs[0].speed->valid = false;
  report.runs[0].speed->reasons = {"measured for 1 s, at least 3 s were asked for"};
  const std::string text = to_table(report);
  EXPECT_NE(text.find("INVALID: float32: measured for 1 s"), std::string::npos);
  EXPECT_TRUE(text.ends_with("Result is: INVALID\n"));
}

TEST(Console, ClockAndDisturbancesAreNamed) {
  Report report = test::sample_report();
  report.conditions = Conditions{.seconds = 3, .cores = 2, .ghz_begin = 2.5, .ghz_end = 2.5};
  const std::string quiet = to_table(report);
  EXPECT_NE(quiet.find("2.50 GHz."), std::string::npos) << quiet;
  EXPECT_EQ(quiet.find("Note: "), std::string::npos) << quiet;
  report.conditions->gpu = GpuReading{.sm_mhz = 1200, .sm_max_mhz = 1980, .slowdowns = 0x4};
  EXPECT_NE(to_table(report).find("held down by its power limit (1200 of 1980 MHz)"), std::string::npos);
  report.conditions->others_cores = 0.75;
  EXPECT_NE(to_table(report).find("NOISY: other programs kept 0.8 of the 2 cores busy meanwhile"), std::string::npos);
}

TEST(Console, ServerScenario) {
  Report report = test::sample_report();
  report.scenario = "server";
  ServerResult& server = report.runs[1].server.emplace();
  server = {.latency_bound_ms = 15, .queries_per_second = 80, .capacity = 100, .valid = true};
  server.trials = {{.rate = 80, .queries = 2400, .bound_percentile_ms = 12.5, .complete = true, .met = true}};
  EXPECT_NE(to_table(report).find("Scenario server: int8 maxabs: 80.00 queries/s of random arrivals with p99 12.50 ms"),
            std::string::npos)
      << to_table(report);
  server.trials[0].met = false;
  server.queries_per_second = 0;
  server.valid = false;
  server.reasons = {"no arrival rate keeps it"};
  EXPECT_NE(to_table(report).find("INVALID: int8 maxabs: no arrival rate keeps it.\nResult is: INVALID"),
            std::string::npos);
}

TEST(Console, LayerTable) {
  const std::string text = to_layer_tables(test::sample_report());
  EXPECT_NE(text.find("Layers of float32, batch 1: 0.500 ms together"), std::string::npos) << text;
  EXPECT_NE(text.find("conv1  some_kernel  n1h224  0.500  2.0   4.0  100.0%"), std::string::npos) << text;
}

TEST(Console, LayerTableHasRoofsAndRemarks) {
  Report report = test::sample_report();
  report.roofs = DeviceRoofs{"cpu", "avx2, 2 threads", 500, 100, 10};
  report.runs[1].layers[0].profile = LayerProfile{
      .gops = 40, .gbs = 0.8, .intensity = 488, .compute_percent = 8, .memory_percent = 8, .remark = "tail: few"};
  const std::string text = to_layer_tables(report);
  EXPECT_NE(text.find("int8 500 GOPS, float32 100 GFLOPS, copy 10.0 GB/s"), std::string::npos) << text;
  EXPECT_NE(text.find("conv1: 100% of the time; tail: few."), std::string::npos) << text;
  EXPECT_NE(text.find(" 8%"), std::string::npos) << text;
}

TEST(Console, ConclusionTellsSignificance) {
  Report report = test::sample_report();
  PairedComparison& paired = *report.runs[1].vs_first;
  paired.p = 0.00001;
  EXPECT_NE(conclusion(classification_task(), report.runs[1], report.runs[0])
                .find("(p <0.0001: a significant difference at 5%)"),
            std::string::npos);
  paired.diff = 0;
  EXPECT_NE(conclusion(classification_task(), report.runs[1], report.runs[0]).find("the same top-1 as float32"),
            std::string::npos);
}

TEST(TextTable, AlignsAndLeavesOutEmptyColumns) {
  TextTable table;
  table.column("name", TextTable::Align::kLeft);
  table.column("empty");
  table.column("n");
  table.row({"\xc3\xa4", "", "10"});  // one character of two bytes
  table.row({"bcdef", "", "9"});
  EXPECT_EQ(table.text(), "name    n\n-----  --\n\xc3\xa4      10\nbcdef   9\n");
}

TEST(TextTable, Grouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
}

TEST(TextTable, ShortenedPathKeepsTheEnd) {
  EXPECT_EQ(shortened_path("/short", 10), "/short");
  EXPECT_EQ(shortened_path("/a/long/folder/file", 10), "...er/file");
}

TEST(Console, LayersThatAreOutputsSaySo) {
  Report report = test::sample_report();
  report.runs[1].layers[0].info.outputs = {"map", "again"};
  report.runs[1].layers[0].error = LayerErrorReport{31.25, 0.9996, 0.98, 0.0012};
  const std::string text = to_layer_tables(report);
  EXPECT_NE(text.find("conv1 -> map, again  some_kernel"), std::string::npos) << text;
  EXPECT_NE(text.find("conv1 -> map, again  Conv2D"), std::string::npos) << text;
}

}  // namespace
}  // namespace gpueval
