// SPDX-License-Identifier: Apache-2.0
#include "program/exit_code.h"

#include <gtest/gtest.h>

namespace gpueval {
namespace {

TEST(ExitCode, OfEachKindOfError) {
  EXPECT_EQ(exit_status(exit_code(ErrorKind::kUsage)), 2);
  EXPECT_EQ(exit_status(exit_code(ErrorKind::kDevice)), 5);
  EXPECT_EQ(exit_status(exit_code(ErrorKind::kInterrupted)), 130);
  for (const ErrorKind kind : {ErrorKind::kFile, ErrorKind::kData, ErrorKind::kInternal}) {
    EXPECT_EQ(exit_status(exit_code(kind)), 1);
  }
}

}  // namespace
}  // namespace gpueval
