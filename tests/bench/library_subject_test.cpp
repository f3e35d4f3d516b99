// SPDX-License-Identifier: Apache-2.0
// The libraries' rows of gpu_bench, on the emulator with the libraries of tests/library/fake/.
#if defined(GPUEVAL_FAKE_LIBRARIES)
#include <gtest/gtest.h>

#include "device_subjects.h"
#include "library/fake_libraries.h"
#include "support/runtimes.h"

namespace gpueval::bench {
namespace {

TEST(LibrarySubjects, RunAndAreVerified) {
  const cuda::FakeLibrary cudnn("libcudnn.so.9"), cublaslt("libcublasLt.so.13");
  const ConvDesc pointwise = parse_conv_desc("n2h7w9c32_k64r1s1_st1_pad0,0,0,0");
  int integer = 0, floating = 0;
  for (const cuda::IntegerBaseline& baseline : cuda::integer_baselines()) {
    const auto subject = make_library_subject(cuda::emu_runtime(), baseline, pointwise);
    EXPECT_GT(subject->cold(), 0) << baseline.name;
    EXPECT_EQ(subject->verify(), "") << baseline.name;
    ++integer;
  }
  for (const cuda::FloatBaseline& baseline : cuda::float_baselines()) {
    const auto subject = make_library_subject(cuda::emu_runtime(), baseline, pointwise);
    EXPECT_GT(subject->cold(), 0) << baseline.name;
    EXPECT_EQ(subject->verify(), "") << baseline.name;
    ++floating;
  }
  EXPECT_EQ(integer, 2);
  EXPECT_EQ(floating, 6);
  EXPECT_THROW(make_library_subject(cuda::emu_runtime(), cuda::integer_baselines()[1],
                                    parse_conv_desc("n1h9w9c32_k32r3s3_st1_pad1,1,1,1")),
               Unsupported);
}

}  // namespace
}  // namespace gpueval::bench
#endif
