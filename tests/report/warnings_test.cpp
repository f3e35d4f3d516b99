// SPDX-License-Identifier: Apache-2.0
// A warning stands directly under the numbers that it is about, in every form of a result.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sample_report.h"

namespace gpueval {
namespace {

const std::string kSentence = "The labels <may> be wrong.";

TEST(Warnings, StandUnderTheTable) {
  Report report = test::sample_report();
  EXPECT_EQ(to_table(report).find("WARNING"), std::string::npos);
  report.warnings = {kSentence};
  const std::string text = to_table(report);
  EXPECT_NE(text.find("3.10x\n\nWARNING: The labels <may> be wrong.\nint8 maxabs: 0.4 points"), std::string::npos)
      << text;
}

TEST(Warnings, AreInHtmlAndJson) {
  Report report = test::sample_report();
  EXPECT_EQ(nlohmann::json::parse(to_json(report))["warnings"], nlohmann::json::array());
  report.warnings = {kSentence};
  EXPECT_NE(to_html(report).find("</table></div>\n<p class=\"warn\">WARNING: The labels &lt;may&gt; be wrong."),
            std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(to_json(report))["warnings"], nlohmann::json::array({kSentence}));
}

TEST(Warnings, OfATableNameTheirNetwork) {
  TableReport table;
  table.networks.push_back({"mobilenet 0.25", {"m.h5"}, "", test::sample_report()});
  table.networks.front().report->warnings = {kSentence};
  const std::string expected = "WARNING: mobilenet 0.25: The labels ";
  EXPECT_NE(to_text(table).find("\n\n" + expected), std::string::npos) << to_text(table);
  EXPECT_NE(to_markdown(table).find("\n\n- " + expected), std::string::npos) << to_markdown(table);
  EXPECT_NE(to_html(table).find("</table></div>\n<p class=\"warn\">" + expected), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(to_json(table))["networks"][0]["result"]["warnings"][0], kSentence);
}

TEST(Warnings, OfASensitivity) {
  SensitivityReport report;
  report.found.layers.resize(1);
  report.warnings = {kSentence};
  EXPECT_NE(to_text(report).find("\n\nWARNING: The labels <may>"), std::string::npos) << to_text(report);
  EXPECT_NE(to_html(report).find("</table></div>\n<p class=\"warn\">WARNING: The labels"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(to_json(report))["warnings"][0], kSentence);
}

}  // namespace
}  // namespace gpueval
