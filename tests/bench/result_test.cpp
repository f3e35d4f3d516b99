// SPDX-License-Identifier: Apache-2.0
#include "result.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace gpueval::bench {
namespace {

Row row(const std::string& kernel, double seconds) {
  Row r;
  r.kernel = kernel;
  r.device = "cuda";
  r.network = "resnet50";
  r.desc = parse_conv_desc("n1h7w7c512_k512r3s3_st1_pad1,1,1,1");
  r.roof = kernel.find("mma") != std::string::npos ? "mma_m16n8k32" : "dp4a";
  r.operations = 2e9;
  r.bytes = 4e6;
  r.seconds = seconds;
  r.samples = seconds > 0 ? 3 : 0;
  return r;
}

Result sample() {
  Result result;
  result.command = "gpu_bench --compare dp4a,mma";
  result.devices["cuda"] = "a device";
  result.cache_bytes["cuda"] = 50e6;
  result.roofs = {{"cuda", 0, "dp4a", "TOPS", 100, ""},
                  {"cuda", 0, "mma_m16n8k32", "TOPS", 1000, ""},
                  {"cuda", 0, "copy", "GB/s", 1000, ""},
                  {"cuda", 0, "other", "TOPS", 0, "needs sm_90"}};
  result.rows = {row("conv_s8_dp4a_a", 40e-6), row("conv_s8_dp4a_b", 50e-6), row("conv_s8_mma_a", 10e-6),
                 row("conv_s8_x", 0)};
  result.rows.back().note = "unsupported: too small";
  return result;
}

TEST(ShareOfRoof, HotRowsAreHeldAgainstTheirUnit) {
  const Result result = sample();
  const auto dp4a = share_of_roof(result.rows[0], result.roofs, 50'000'000);
  ASSERT_TRUE(dp4a);
  EXPECT_EQ(dp4a->roof, "dp4a");
  EXPECT_NEAR(dp4a->fraction, 2e9 / 100e12 / 40e-6, 1e-12);
}

TEST(ShareOfRoof, ColdOrLargeRowsAreHeldAgainstTheCopyToo) {
  const Result result = sample();
  Row cold = result.rows[2];  // compute allows 2 us, the copy 4 us
  cold.cold = true;
  EXPECT_EQ(share_of_roof(cold, result.roofs, 50'000'000)->roof, "copy");
  EXPECT_NEAR(share_of_roof(cold, result.roofs, 50'000'000)->fraction, 0.4, 1e-12);
  EXPECT_EQ(share_of_roof(result.rows[2], result.roofs, 50'000'000)->roof, "mma_m16n8k32");
  EXPECT_EQ(share_of_roof(result.rows[2], result.roofs, 1000)->roof, "copy");
}

TEST(ShareOfRoof, NothingWithoutTimeOrRoof) {
  const Result result = sample();
  EXPECT_FALSE(share_of_roof(result.rows[3], result.roofs, 0));
  EXPECT_FALSE(share_of_roof(result.rows[0], {}, 0));
  Row other = result.rows[0];
  other.device = "cpu";
  EXPECT_FALSE(share_of_roof(other, result.roofs, 0));
  other = result.rows[0];
  other.failed = true;
  EXPECT_FALSE(share_of_roof(other, result.roofs, 0));
}

TEST(Tables, UnsupportedRowsSaySo) {
  const std::string text = row_table(sample()).text();
  EXPECT_NE(text.find("unsupported: too small"), std::string::npos) << text;
  EXPECT_NE(roof_table(sample()).text().find("needs sm_90"), std::string::npos);
}

TEST(Tables, CompareTakesTheFastestOfEachSide) {
  const std::string text = compare_table(sample(), {"dp4a", "mma", "wgmma"}).text();
  EXPECT_NE(text.find("conv_s8_dp4a_a"), std::string::npos) << text;
  EXPECT_EQ(text.find("conv_s8_dp4a_b"), std::string::npos) << text;
  EXPECT_NE(text.find("4.00"), std::string::npos) << text;  // 40 us over 10 us
  EXPECT_NE(text.find("none"), std::string::npos) << text;  // nothing matches wgmma
}

TEST(Tables, VerdictStandsBesideTheTime) {
  Result result = sample();
  EXPECT_NE(row_table(result).text().find("40.0  VALID"), std::string::npos) << row_table(result).text();
  result.rows[0].spread = 0.3;
  EXPECT_NE(row_table(result).text().find("40.0  NOISY"), std::string::npos) << row_table(result).text();
  EXPECT_NE(row_table(result).text().find("50.0  VALID"), std::string::npos);
  EXPECT_NE(compare_table(result, {"dp4a"}).text().find("40.0  NOISY"), std::string::npos);
  EXPECT_EQ(disturbance_lines(result), "");
  result.conditions = Conditions{.cores = 2, .others_cores = 1.0, .cpus = {0, 1}};
  EXPECT_NE(row_table(result).text().find("50.0  NOISY"), std::string::npos);
  EXPECT_NE(disturbance_lines(result).find("NOISY: other programs kept 1.0"), std::string::npos);
  EXPECT_NE(markdown(result, {}).find("NOISY: other programs kept 1.0"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(json(result))["rows"][1]["verdict"], "NOISY");
}

TEST(Tables, RoofsAreNeverBelowARowNorPrintedAsNothing) {
  Result result = sample();
  for (Row& r : result.rows) r.device = "cpu";
  for (RoofValue& roof : result.roofs) roof.device = "cpu";
  result.roofs[0].value = 1e-5;  // dp4a, disturbed
  EXPECT_NE(roof_table(result).text().find("1e-05"), std::string::npos) << roof_table(result).text();
  raise_roofs(result.rows, result.roofs);
  EXPECT_NEAR(result.roofs[0].value, 2e9 / 40e-6 * 1e-12, 1e-9);  // the quickest dp4a row
  EXPECT_EQ(result.roofs[1].value, 1000);
  EXPECT_NE(roof_table(result).text().find("NOISY: conv_s8_dp4a_a was faster"), std::string::npos);
  EXPECT_NEAR(share_of_roof(result.rows[0], result.roofs, 50'000'000)->fraction, 1, 1e-9);
  result.rows[1].kernel = "onednn_s8";  // a library may use other instructions
  result.rows[1].seconds = 1e-9;
  raise_roofs(result.rows, result.roofs);
  EXPECT_NEAR(result.roofs[0].value, 2e9 / 40e-6 * 1e-12, 1e-9);
}

TEST(Tables, EmulatedTimesAreNotShown) {
  Result result = sample();
  for (Row& r : result.rows) r.device = "emu";
  for (RoofValue& roof : result.roofs) roof.device = "emu";
  const std::string text = row_table(result).text();
  EXPECT_EQ(text.find("40.0"), std::string::npos) << text;
  EXPECT_NE(text.find("emulated"), std::string::npos);
  EXPECT_EQ(roof_table(result).text().find("100"), std::string::npos) << roof_table(result).text();
  EXPECT_EQ(compare_table(result, {"dp4a", "mma"}).text().find("40.0"), std::string::npos);
  EXPECT_NE(disturbance_lines(result).find("emulated: times say nothing about a GPU"), std::string::npos);
}

TEST(Json, HoldsRowsRoofsAndReasons) {
  const auto parsed = nlohmann::json::parse(json(sample()));
  EXPECT_EQ(parsed["schema"], 1);
  ASSERT_EQ(parsed["rows"].size(), 4u);
  EXPECT_NEAR(parsed["rows"][0]["us"].get<double>(), 40, 1e-9);
  EXPECT_NEAR(parsed["rows"][0]["fraction_of_roof"].get<double>(), 0.5, 1e-9);
  EXPECT_FALSE(parsed["rows"][3].contains("us"));
  EXPECT_EQ(parsed["rows"][3]["note"], "unsupported: too small");
  EXPECT_EQ(parsed["roofs"][3]["missing"], "needs sm_90");
  EXPECT_FALSE(parsed["roofs"][3].contains("value"));
}

}  // namespace
}  // namespace gpueval::bench
