// SPDX-License-Identifier: Apache-2.0
// The block barrier, and the bugs around it: a missing one shows as a wrong result under some schedule, a divergent one
// and a deadlock end with a message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulated.h"

namespace gpueval::emulator {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// Every thread reads what the one `distance` further has written.
std::vector<int> rotate(unsigned threads, unsigned distance, bool with_barrier) {
  std::vector<int> out(threads);
  run_block(threads, 4 * threads, [&] {
    shared_int(thread_x()) = static_cast<int>(3 * thread_x());
    if (with_barrier) device::block_barrier();
    out[thread_x()] = shared_int((thread_x() + distance) % threads);
  });
  return out;
}

std::vector<int> rotated(unsigned threads, unsigned distance) {
  std::vector<int> out(threads);
  for (unsigned i = 0; i < threads; ++i) out[i] = static_cast<int>(3 * ((i + distance) % threads));
  return out;
}

TEST(Barrier, ExchangesDataUnderAllSchedules) {
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    for (const unsigned threads : {1u, 2u, 31u, 32u, 33u, 100u, 256u, 1024u}) {
      EXPECT_EQ(rotate(threads, 37 % threads, true), rotated(threads, 37 % threads))
          << describe(options) << ", " << threads << " threads";
    }
  }
}

TEST(Barrier, AMissingOneGivesWrongResults) {
  for (const unsigned distance : {1u, 31u, 32u, 128u, 224u, 255u}) {
    for (const Schedule schedule : {Schedule::kAscending, Schedule::kDescending, Schedule::kRandom}) {
      const WithOptions with({.schedule = schedule});
      EXPECT_NE(rotate(256, distance, false), rotated(256, distance)) << "distance " << distance;
    }
  }
}

// Only some schedules show a missing barrier where data flows one way: hence three of them.
TEST(Barrier, AMissingOneBehindTheProducerShowsInOneOfTheOrders) {
  for (const unsigned producer : {0u, 255u}) {
    int wrong = 0;
    for (const Schedule schedule : {Schedule::kAscending, Schedule::kDescending}) {
      const WithOptions with({.schedule = schedule});
      int bad = 0;
      run_block(256, 4, [&] {
        if (thread_x() == producer) shared_int(0) = 42;
        bad += shared_int(0) != 42;
      });
      wrong += bad > 0;
    }
    EXPECT_EQ(wrong, 1) << "producer " << producer;
  }
}

// A fast warp may overwrite what a slow one still reads: the second barrier of a loop.
TEST(Barrier, AMissingSecondOneInALoopGivesWrongResults) {
  const auto iterate = [](bool second_barrier) {
    int wrong = 0;
    run_block(64, 256, [&] {
      for (int i = 0; i < 4; ++i) {
        shared_int(thread_x()) = 100 * i + static_cast<int>(thread_x());
        device::block_barrier();
        wrong += shared_int((thread_x() + 32) % 64) != 100 * i + static_cast<int>((thread_x() + 32) % 64);
        if (second_barrier) device::block_barrier();
      }
    });
    return wrong;
  };
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    EXPECT_EQ(iterate(true), 0) << describe(options);
    EXPECT_GT(iterate(false), 0) << describe(options);
  }
}

TEST(Barrier, ThreadsThatReturnedDoNotCount) {
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    int sum = 0;
    run_block(200, 800, [&] {
      if (thread_x() % 3 == 0) return;
      shared_int(thread_x()) = 1;
      device::block_barrier();
      if (thread_x() == 1) {
        for (unsigned i = 0; i < 200; ++i) sum += i % 3 == 0 ? 0 : shared_int(i);
      }
    });
    EXPECT_EQ(sum, 133) << describe(options);
  }
}

TEST(Barrier, DifferentPlacesAreDivergent) {
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    const std::string error = error_of([] {
      run("probe", {2, 1, 1}, {64, 1, 1}, 0, [] {
        if (thread_x() < 8) {
          device::block_barrier("probe.cu", 10);
        } else {
          device::block_barrier("probe.cu", 20);
        }
      });
    });
    EXPECT_THAT(error, AllOf(StartsWith("kernel 'probe', block ("), HasSubstr("thread ("),
                             HasSubstr("divergent barrier"), HasSubstr("probe.cu:10"), HasSubstr("probe.cu:20")));
  }
}

// One warp passes an extra barrier: the others are already at the next one.
TEST(Barrier, AnExtraOneInABranchIsDivergent) {
  const std::string error = error_of([] {
    run_block(64, 0, [] {
      if (thread_x() < 32) device::block_barrier();
      device::block_barrier();
    });
  });
  EXPECT_THAT(error, AllOf(HasSubstr("block (0, 0, 0), thread (32, 0, 0): divergent barrier"),
                           HasSubstr("while thread (0, 0, 0) waits at"), HasSubstr("barrier_test.cpp:")));
}

TEST(Barrier, BarrierAgainstCollectiveIsADeadlock) {
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    const std::string error = error_of([] {
      run_block(64, 0, [] {
        if (thread_x() == 40) {
          device::block_barrier("probe.cu", 7);
        } else {
          device::warp_barrier(~0u);
        }
      });
    });
    EXPECT_EQ(error,
              "kernel 'probe', block (0, 0, 0): deadlock: 1 threads, first thread (40, 0, 0), wait at the barrier "
              "probe.cu:7; lanes 0xfffffeff of warp 1, first thread (32, 0, 0), wait in a warp barrier with mask "
              "0xffffffff");
  }
}

TEST(Barrier, CollectivesThatNeverMeetAreADeadlock) {
  const std::string error = error_of([] {
    run_block(32, 0, [] {
      if (thread_x() < 4) device::ballot(0xffu, true);
      if (thread_x() >= 8) device::shuffle_xor(0xffffff10u, 0, 1);
      device::block_barrier();
    });
  });
  EXPECT_THAT(error, AllOf(HasSubstr("deadlock"), HasSubstr("ballot with mask 0x000000ff"),
                           HasSubstr("shuffle_xor with mask 0xffffff10")));
}

}  // namespace
}  // namespace gpueval::emulator
