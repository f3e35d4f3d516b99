// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sample_report.h"
#include "task/bits.h"

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

TEST(Host, IsNamed) {
  const HostInfo host = host_info();
  EXPECT_FALSE(host.cpu.empty());
  EXPECT_GE(host.cores, 1);
  EXPECT_FALSE(tool_info().version.empty());
  EXPECT_FALSE(tool_info().revision.empty());
}

TEST(ResultJson, NamesTheOutputsAndTheirLayers) {
  Report report = test::sample_report();
  report.model.outputs = {{"map", "conv4", {1, 28, 14, 96}}, {"logits", "conv_preds", {1, 1, 1, 1000}}};
  report.runs[0].layers[0].info.outputs = {"map"};
  const nlohmann::json json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["model"]["outputs"].dump(), R"([{"head":"none","layer":"conv4","name":"map","shape":[28,14,96]},)"
                                             R"({"head":"none","layer":"conv_preds","name":"logits","shape":[1000]}])");
  EXPECT_EQ(json["runs"][0]["layers"][0]["outputs"].dump(), R"(["map"])");
  EXPECT_FALSE(json["runs"][1]["layers"][0].contains("outputs"));
}

}  // namespace
}  // namespace gpueval
