// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "gpueval/error.h"
#include "sample_report.h"

namespace gpueval {
namespace {

using testing::HasSubstr;

TEST(AccuracyGate, IsOfTheLastRowThatHasAnAccuracy) {
  Report report = test::sample_report();
  const double found = report.runs.back().accuracy->headline();
  EXPECT_TRUE(accuracy_gate(report, found).passed) << "just what is asked for";
  const AccuracyGate failed = accuracy_gate(report, found + 0.002);
  EXPECT_FALSE(failed.passed);
  EXPECT_THAT(failed.sentence, HasSubstr("Accuracy gate FAILED: " + report.runs.back().label() + " has top-1 0."));
  report.runs.emplace_back();
  EXPECT_TRUE(accuracy_gate(report, found).passed) << "a row that was only timed";
}

TEST(AccuracyGate, FailsWhatIsNoNumber) {
  Report report = test::sample_report();
  report.runs.back().accuracy->metrics.front().value = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(accuracy_gate(report, 0).passed);
  report.runs.clear();
  EXPECT_THROW(accuracy_gate(report, 0), Error);
}

}  // namespace
}  // namespace gpueval
