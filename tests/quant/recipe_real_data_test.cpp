// SPDX-License-Identifier: Apache-2.0
// Guards the accuracy of the default recipe: every layer int8, calibrated on 128 images, judged on the other 372.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

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

// Class folders list their images class by class, and the classes of ImageNet are sorted by kind: animals first.
TEST(RecipeRealData, ASortedSetIsCalibratedOnImagesFromAllOverIt) {
  if (absent("mobilenet")) GTEST_SKIP() << Judge::weight_file("mobilenet") << " or its images are not there";
  const QuantOptions options{.scheme = Scheme::kBest, .corrections = default_corrections(Scheme::kBest)};
  Judge judge("mobilenet");
  std::vector<std::size_t> by_class(judge.data().size());
  std::iota(by_class.begin(), by_class.end(), std::size_t{0});
  std::sort(by_class.begin(), by_class.end(),
            [&](std::size_t a, std::size_t b) { return judge.data().label(a) < judge.data().label(b); });
  judge.reorder(by_class);
  const double first = judge.judge(calibrate(judge.graph(), judge.images(), options), options).sqnr_db;

  std::vector<std::size_t> order = spread_indices(judge.data(), Judge::kCalibrated, 1);
  const OtherImages others = other_images(judge.data(), order, {}, judge.data().size());
  order.insert(order.end(), others.indices.begin(), others.indices.end());
  judge.reorder(order);
  const double spread = judge.judge(calibrate(judge.graph(), judge.images(), options), options).sqnr_db;
  std::printf("SQNR of the first 128: %.2f dB, of 128 spread over the set: %.2f dB\n", first, spread);
  EXPECT_GE(spread, 25.0);
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
