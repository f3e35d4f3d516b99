// SPDX-License-Identifier: Apache-2.0
#include "ptx/library.h"

#include <gtest/gtest.h>

#include "gpueval/error.h"

namespace gpueval::ptx {
namespace {

// Nothing in the PTX of any kernel is unknown, whether a test launches it or not.
TEST(PtxLibrary, EveryKernelIsUnderstood) {
  const auto names = library().names();
  EXPECT_GE(names.size(), 150u);
  for (const std::string& name : names) {
    try {
      EXPECT_FALSE(library().find(name).code.empty()) << name;
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

}  // namespace
}  // namespace gpueval::ptx
