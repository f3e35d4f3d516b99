// SPDX-License-Identifier: Apache-2.0
// Whatever libhdf5 does to the process that reads a damaged file first, ours lives and says which file it was.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "gpueval/error.h"
#include "gpueval/weights.h"
#include "io/weights/rehearse.h"

namespace gpueval {
namespace {

std::string message_of(const std::function<void()>& task) {
  try {
    rehearse("w.h5", 1000, task);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

constexpr const char* kDamaged =
    "w.h5: expected Keras weights, found a damaged HDF5 file that the HDF5 library cannot digest; fetch it again";

TEST(Rehearse, ReturnsAfterSuccessAndLeavesNoTrace) {
  int runs = 0;
  EXPECT_EQ(message_of([&] { ++runs; }), "no error");
  EXPECT_EQ(runs, 0) << "the task must run in another process";
}

TEST(Rehearse, PassesTheTasksErrorOn) {
  EXPECT_EQ(message_of([] { fail("w.h5: layer '{}' is odd", "x"); }), "w.h5: layer 'x' is odd");
}

TEST(Rehearse, ReportsACrashAnExceptionAndAnExit) {
  EXPECT_EQ(message_of([] { std::raise(SIGSEGV); }), kDamaged);
  EXPECT_EQ(message_of([] { std::abort(); }), kDamaged);
  EXPECT_EQ(message_of([] { throw std::bad_alloc(); }), kDamaged);
  EXPECT_EQ(message_of([] { std::_Exit(7); }), kDamaged);
}

TEST(Rehearse, EndsAnEndlessLoop) {
  volatile bool forever = true;
  EXPECT_EQ(message_of([&] {
              while (forever) {
              }
            }),
            kDamaged);
}

// Found by tests/fuzz/fuzz_hdf5: libhdf5 1.10.8 reads through a null pointer, past a buffer, or copies size_t(-1)
// bytes. A build without AddressSanitizer may get through the second and third; what counts is that the process lives.
TEST(Rehearse, FilesThatCrashTheLibrary) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GPUEVAL_SOURCE_DIR "/tests/golden/hdf5_damaged")) {
    try {
      const WeightFile file = read_weight_file(entry.path());
      EXPECT_NE(entry.path().stem(), "null_pointer") << "should not be readable";
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).rfind(entry.path().string(), 0), 0u) << error.what();
    }
    ++files;
  }
  EXPECT_EQ(files, 3);
}

}  // namespace
}  // namespace gpueval
