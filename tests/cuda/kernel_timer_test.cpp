// SPDX-License-Identifier: Apache-2.0
// How kernels are timed for the choice: rows that count what is asked of them.
#include "cuda/select/kernel_timer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "cuda/runtime/runtime.h"
#include "cuda/select/graph_time.h"
#include "support/runtimes.h"

namespace gpueval::cuda {
namespace {

int launches = 0, packings = 0;

class KernelTimerTest : public testing::Test {
 protected:
  void SetUp() override { launches = packings = 0; }

  static ConvProblem problem() {
    return {.desc = parse_conv_desc("n1h4w4c16_k24r1s1_st1_pad0,0,0,0"), .src_pitch = 16, .dst_pitch = 32};
  }
  static ConvKernel row(void (*launch)(const ConvProblem&, const ConvArgs&, int, Stream)) {
    return {.name = "counted",
            .op = ConvOp::kConv,
            .min_sm = 75,
            .family = ConvFamily::kNaive,
            .supports = [](const ConvProblem&) { return true; },
            .pack =
                [](const ConvProblem&, std::span<const std::int8_t> weights) {
                  ++packings;
                  return std::vector<std::int8_t>(weights.begin(), weights.end());
                },
            .workspace = [](const ConvProblem&, int) { return std::size_t{0}; },
            .launch = launch};
  }
  static void quick(const ConvProblem&, const ConvArgs&, int, Stream) { ++launches; }
  static void slow(const ConvProblem&, const ConvArgs&, int, Stream) {
    ++launches;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }

  StreamHandle stream_ = make_stream(emu_runtime());
  KernelTimer timer_{emu_runtime(), problem(), stream_.get()};
};

// A graph's launches are made once, when it is captured; its five samples make none.
TEST_F(KernelTimerTest, ShortRunsAreTimedAsOneGraph) {
  EXPECT_GT(timer_.microseconds(row(quick)), 0);
  EXPECT_GT(launches, 3);
  EXPECT_LE(launches, 2 + kMostTimedRuns);
}

TEST_F(KernelTimerTest, HopelessKernelsGetOneSample) {
  EXPECT_GT(timer_.microseconds(row(slow), 500), 1900);
  EXPECT_EQ(launches, 2);
  launches = 0;
  EXPECT_GT(timer_.microseconds(row(slow), 100'000), 1900);
  EXPECT_EQ(launches, 2 + 5);
}

// Below that, a single launch may take as long as the host needs for it.
TEST_F(KernelTimerTest, NoKernelIsGivenUpForTheHostsTime) {
  timer_.microseconds(row(quick), 1e-6);
  EXPECT_GT(launches, 3);
}

TEST_F(KernelTimerTest, WeightsArePackedOnceForAllRowsThatPackThemAlike) {
  timer_.microseconds(row(quick));
  timer_.microseconds(row(slow), 500);
  EXPECT_EQ(packings, 1);
}

}  // namespace
}  // namespace gpueval::cuda
