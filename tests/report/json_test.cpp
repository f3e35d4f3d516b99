// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "report/bits.h"
#include "sample_report.h"

namespace gpueval {
namespace {

TEST(Bits, FirstImageIsTheHighestBit) {
  EXPECT_EQ(bits_to_hex({}), "");
  EXPECT_EQ(bits_to_hex({true}), "80");
  EXPECT_EQ(bits_to_hex({false, false, false, true, true, true, false, true, true}), "1d80");
}

TEST(Bits, RoundTrip) {
  for (const std::size_t count : {0u, 1u, 7u, 8u, 9u, 500u}) {
    std::vector<bool> bits(count);
    for (std::size_t i = 0; i < count; ++i) bits[i] = i * i % 7 < 3;
    EXPECT_EQ(hex_to_bits(bits_to_hex(bits), count), bits) << count;
  }
  EXPECT_FALSE(hex_to_bits("1d8", 9));
  EXPECT_FALSE(hex_to_bits("xd80", 9));
}

TEST(ResultJson, HasTheFieldsOfTheSchema) {
  const nlohmann::json json = nlohmann::json::parse(to_json(test::sample_report()));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["data"]["first"], 100);
  EXPECT_EQ(json["data"]["skipped_images"][1]["name"], "image 118");
  EXPECT_DOUBLE_EQ(json["runs"][0]["accuracy"]["top1"].get<double>(), 0.564);
  EXPECT_DOUBLE_EQ(json["runs"][1]["vs_first"]["top1_diff"].get<double>(), -0.004);
  EXPECT_EQ(json["runs"][1]["speed"]["latency_ms"]["p99"], 2.5);
  EXPECT_TRUE(json["runs"][0]["scheme"].is_null());
  EXPECT_TRUE(json["runs"][0]["vs_first"].is_null());
  EXPECT_EQ(json["runs"][0]["layers"][0]["ms"], 0.5);
}

TEST(ResultJson, PathsThatAreNoUtf8AreReplaced) {
  Report report = test::sample_report();
  report.data->path = "caf\xe9.pkl";
  EXPECT_EQ(nlohmann::json::parse(to_json(report))["data"]["path"], "caf\xef\xbf\xbd.pkl");
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

TEST_F(Compare, RunsWithoutACounterpartSaySo) {
  Report b = test::sample_report();
  for (RunReport& run : b.runs) run.precision = "float16";
  EXPECT_NE(text(test::sample_report(), b).find("nothing to compare"), std::string::npos);
}

TEST(Host, IsNamed) {
  const HostInfo host = host_info();
  EXPECT_FALSE(host.cpu.empty());
  EXPECT_GE(host.cores, 1);
  EXPECT_FALSE(tool_info().version.empty());
  EXPECT_FALSE(tool_info().revision.empty());
}

}  // namespace
}  // namespace gpueval
