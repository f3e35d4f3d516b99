// SPDX-License-Identifier: Apache-2.0
#include "eval/result_checks.h"

#include <gtest/gtest.h>

namespace gpueval {
namespace {

TEST(ResultChecks, MoreThanOnePercentSkippedIsSaid) {
  const std::vector<SkippedImage> six{{0, "a", "a: cut"}, {1, "b", ""}, {2, "c", ""},
                                      {3, "d", ""},       {4, "e", ""}, {5, "f", ""}};
  EXPECT_EQ(skipped_warning("images", {}, 0), std::nullopt);
  EXPECT_EQ(skipped_warning("images", six, 600), std::nullopt);
  EXPECT_EQ(skipped_warning("images", six, 599),
            "6 of 599 images (1.0%) could not be decoded and count nowhere; the first: a: cut.");
}

}  // namespace
}  // namespace gpueval
