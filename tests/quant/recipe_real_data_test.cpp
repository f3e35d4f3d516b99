// SPDX-License-Identifier: Apache-2.0
// Guards the accuracy of the default recipe: every layer int8, calibrated on 128 images, judged on the other 372.
#include <gtest/gtest.h>

#include "recipe_judge.h"

namespace gpueval::test {
namespace {

Judgement judge_default(const std::string& network) {
  Judge judge(network);
  const QuantOptions options{.scheme = Scheme::kBest, .corrections = default_corrections(Scheme::kBest)};
  return judge.judge(calibrate(judge.graph(), judge.images(), options), options);
}

bool absent(const std::string& network) {
  return !std::filesystem::exists(Judge::weight_file(network)) ||
         !std::filesystem::exists(real_data("imagenet/val224_sample.pkl"));
}

TEST(RecipeRealData, MobileNetKeepsItsAnswers) {
  if (absent("mobilenet")) GTEST_SKIP() << Judge::weight_file("mobilenet") << " or its images are not there";
  const Judgement j = judge_default("mobilenet");
  EXPECT_GE(j.agreement, 0.93);
  EXPECT_GE(j.sqnr_db, 25.5);
  EXPECT_GE(j.top1_diff, -0.01);
}

TEST(RecipeRealData, SqueezeNetKeepsItsAnswers) {
  if (absent("squeezenet")) GTEST_SKIP() << Judge::weight_file("squeezenet") << " or its images are not there";
  const Judgement j = judge_default("squeezenet");
  EXPECT_GE(j.agreement, 0.96);
  EXPECT_GE(j.sqnr_db, 29.0);
  EXPECT_GE(j.top1_diff, -0.003);
}

}  // namespace
}  // namespace gpueval::test
