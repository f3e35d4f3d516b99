// SPDX-License-Identifier: Apache-2.0
// The verification must see a wrong result, and a whole run on the emulator must measure and verify what it lists.
#include "session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <set>
#include <utility>

#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "problem.h"
#include "subject.h"

namespace gpueval::bench {
namespace {

TEST(Verification, SeesOneWrongByteInTheSamples) {
  const Problem problem(parse_conv_desc("n2h5w5c8_k12r3s3_st1_pad1,1,1,1"));
  const auto truth = [&](std::int64_t index) {
    return problem.expected(static_cast<int>(index / 25), static_cast<int>(index % 25 / 5),
                            static_cast<int>(index % 5));
  };
  EXPECT_EQ(problem.verify(truth), "");
  const auto off_by_one = [&](std::int64_t index) {
    auto bytes = truth(index);
    if (index == 49) bytes[7] = static_cast<std::uint8_t>(bytes[7] ^ 1);  // the last pixel
    return bytes;
  };
  EXPECT_NE(problem.verify(off_by_one).find("n 1 p 4 q 4 k 7"), std::string::npos) << problem.verify(off_by_one);
  EXPECT_EQ(problem.verify(off_by_one, 1), "");
}

TEST(Verification, BytesBelow128AreTheSameNumbersSignedOrNot) {
  const Problem problem(parse_conv_desc("n1h16w16c64_k64r3s3_st1_pad1,1,1,1"), SourceBytes::kBelow128);
  EXPECT_EQ(*std::max_element(problem.src.bytes.begin(), problem.src.bytes.end()), 127);
}

// A pixel at the border: padding counts as zero.
TEST(Verification, ExpectsTheReferencesPixels) {
  const Problem problem(parse_conv_desc("n1h4w6c3_k5r3s3_st2_pad0,1,0,1"));
  const auto whole = reference::conv(
      problem.src, {.desc = problem.desc, .weights = problem.weights, .m = problem.m, .b = problem.b}, DType::kU8);
  for (int p = 0; p < problem.desc.p(); ++p) {
    for (int q = 0; q < problem.desc.q(); ++q) {
      const auto first = whole.bytes.begin() + (p * problem.desc.q() + q) * 5;
      EXPECT_EQ(problem.expected(0, p, q), std::vector<std::uint8_t>(first, first + 5)) << p << " " << q;
    }
  }
}

TEST(Verification, DataReachBothEndsOfTheRange) {
  const Problem problem(parse_conv_desc("n1h16w16c64_k64r3s3_st1_pad1,1,1,1"));
  std::set<int> seen;
  for (int p = 0; p < 16; ++p) {
    for (const std::uint8_t byte : problem.expected(0, p, 7)) seen.insert(byte);
  }
  EXPECT_TRUE(seen.contains(0) && seen.contains(255));
  EXPECT_GT(seen.size(), 150u);
}

TEST(CpuCases, EveryUsableKernelIsExactAndTheRestSayWhy) {
  for (const char* text : {"n1h8w8c16_k32r3s3_st1_pad1,1,1,1", "n1h9w9c3_k16r3s3_st2_pad0,1,0,1",
                           "n1h8w8c32_dw_r3s3_st1_pad1,1,1,1", "n2h1w1c256_k40r1s1_st1_pad0,0,0,0"}) {
    const std::vector<Case> cases = cpu_cases("net", parse_conv_desc(text), 1);
    EXPECT_GE(cases.size(), 3u);  // at least the portable kernel and two baselines
    for (const Case& c : cases) {
      ASSERT_NE(static_cast<bool>(c.make), !c.row.note.empty()) << c.row.kernel;
      if (!c.make) continue;
      const auto subject = c.make();
      EXPECT_GT(subject->hot(), 0) << c.row.kernel;
      EXPECT_EQ(subject->verify(), "") << c.row.kernel << " " << text;
    }
  }
}

TEST(Session, EmulatedKernelsRunAndVerify) {
  Options options;
  options.devices = {"emu"};
  options.roof_time = 1e-3;
  options.cache = "both";
  std::size_t saved = 0;
  const Result result = run_session(options, {}, "test", [&](const Result& known) {
    EXPECT_TRUE(known.interrupted);
    EXPECT_GE(known.rows.size(), saved);
    saved = known.rows.size();
  });
  EXPECT_FALSE(result.interrupted);
  EXPECT_GT(saved, 0u) << "nothing was saved on the way";
  EXPECT_EQ(result.roofs.size(), 6u);
  int measured = 0;
  for (const Row& row : result.rows) {
    EXPECT_FALSE(row.failed) << row_name(row) << ": " << row.note;
    EXPECT_NE(row.measured(), !row.note.empty()) << row_name(row);
    EXPECT_EQ(row.network, "tiny");
    measured += row.measured() ? 1 : 0;
  }
  EXPECT_GE(measured, 2);
}

TEST(Session, ASignalEndsItAfterTheRowThatRuns) {
  const StopSignal stop;  // as main() has one
  Options options;
  options.devices = {"emu"};
  options.roof_time = 0;
  bool raised = false;  // a second signal would kill
  const Result result = run_session(options, {}, "test", [&](const Result& known) {
    if (!known.rows.empty() && !std::exchange(raised, true)) std::raise(SIGTERM);
  });
  EXPECT_TRUE(result.interrupted);
  int measured = 0;
  for (const Row& row : result.rows) {
    EXPECT_NE(row.measured(), !row.note.empty()) << row_name(row);
    measured += row.measured() ? 1 : 0;
  }
  EXPECT_EQ(measured, 1);
}

TEST(Session, WhatCannotBeSavedIsToldBeforeTheMeasurement) {
  Options options;
  options.devices = {"emu"};
  options.roof_time = 0;
  int calls = 0;
  const auto save = [&](const Result&) {
    ++calls;
    fail("x.json: cannot be written");
  };
  EXPECT_THROW(run_session(options, {}, "test", save), Error);
  EXPECT_EQ(calls, 1);
}

TEST(Session, KernelsThatDoNotExistAreAUsageError) {
  Options options;
  options.devices = {"emu"};
  options.roof_time = 0;
  options.kernels = "no_such_kernel";
  try {
    run_session(options, {}, "test", [](const Result&) {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("no_such_kernel"), std::string::npos);
  }
}

TEST(Session, MissingDeviceIsAnErrorThatSaysWhy) {
  std::string why;
  if (cuda::gpu_count(&why) > 0) GTEST_SKIP() << "there is a GPU";
  Options options;
  options.devices = {"cuda"};
  try {
    run_session(options, {}, "test", [](const Result&) {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDevice);
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos);
  }
}

}  // namespace
}  // namespace gpueval::bench
