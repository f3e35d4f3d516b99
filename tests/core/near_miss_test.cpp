// SPDX-License-Identifier: Apache-2.0
#include "core/near_miss.h"

#include <gtest/gtest.h>

namespace gpueval::test {
namespace {

const std::vector<std::string> kNames{"vgg16", "resnet50", "mobilenet", "mobilenet_0.25", "--batch"};

TEST(NearMiss, NamesTheNearest) {
  EXPECT_EQ(did_you_mean("mobilnet", kNames), "; did you mean mobilenet?");
  EXPECT_EQ(did_you_mean("resent50", kNames), "; did you mean resnet50?") << "two letters exchanged are one mistake";
  EXPECT_EQ(did_you_mean("mobilenet-0.25", kNames), "; did you mean mobilenet_0.25?");
  EXPECT_EQ(did_you_mean("--bacth", kNames), "; did you mean --batch?");
}

TEST(NearMiss, SaysNothingOfWhatIsFar) {
  EXPECT_EQ(did_you_mean("lenet", kNames), "");
  EXPECT_EQ(did_you_mean("", kNames), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

}  // namespace
}  // namespace gpueval::test
