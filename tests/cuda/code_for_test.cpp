// SPDX-License-Identifier: Apache-2.0
#include "cuda/runtime/code_for.h"

#include <gtest/gtest.h>

namespace gpueval::cuda {
namespace {

TEST(CodeFor, IsMachineCodeOfTheMajorVersionOrTheNewestPtx) {
  EXPECT_EQ(code_for("75-real,80", 75), 75);
  EXPECT_EQ(code_for("75-real,80", 80), 80);
  EXPECT_EQ(code_for("75-real,80", 89), 80);  // machine code of 8.0
  EXPECT_EQ(code_for("75-real,80", 90), 80);  // PTX
  EXPECT_EQ(code_for("75-real,80", 120), 80);
  EXPECT_EQ(code_for("75-real,80,90-real", 90), 90);
  EXPECT_EQ(code_for("75-real;80;90-real", 100), 80);  // machine code of 9.0 does not run there
  EXPECT_EQ(code_for("80-real;86-real;89-virtual", 89), 86);
  EXPECT_EQ(code_for("80;90", 120), 90);
  EXPECT_EQ(code_for("90", 80), 0);
  EXPECT_EQ(code_for("80-real", 90), 0);
  EXPECT_EQ(code_for("90a-real", 90), 90);
  EXPECT_EQ(code_for("", 90), 0);
  for (const char* word : {"native", "all"}) EXPECT_EQ(code_for(word, 89), 89);
  EXPECT_EQ(code_for("all-major", 89), 80);
}

}  // namespace
}  // namespace gpueval::cuda
