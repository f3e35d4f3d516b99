// SPDX-License-Identifier: Apache-2.0
// Warp collectives: what every lane gets, disjoint masks at the same time, and each kind of misuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulated.h"

namespace gpueval::emulator {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr unsigned kAll = ~0u;

TEST(Warp, ShufflesMoveValues) {
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    run_block(96, 0, [] {
      const unsigned t = thread_x(), lane = t % 32, base = t - lane;
      for (const int d : {1, 2, 4, 8, 16, 31}) {
        EXPECT_EQ(device::shuffle_xor(kAll, 1000 + t, d), 1000 + base + (lane ^ static_cast<unsigned>(d)));
      }
      EXPECT_EQ(device::shuffle(kAll, 7 * t, 5), 7 * (base + 5));
      EXPECT_EQ(device::shuffle(kAll, 7 * t, static_cast<int>(lane + 1)), 7 * (base + (lane + 1) % 32));  // mod 32
    });
  }
}

TEST(Warp, BallotCollectsPredicates) {
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    run_block(64, 0, [] {
      const unsigned lane = thread_x() % 32;
      EXPECT_EQ(device::ballot(kAll, lane % 3 == 0), 0x49249249u);
      if (lane < 8) {
        EXPECT_EQ(device::ballot(0xffu, lane != 2), 0xfbu);
      }
      EXPECT_EQ(device::ballot(kAll, true), kAll);
    });
  }
}

TEST(Warp, DisjointMasksMeetIndependently) {
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    std::vector<unsigned> sums(64);
    run_block(64, 0, [&] {
      const unsigned lane = thread_x() % 32, mask = 0xffu << (lane / 8 * 8);
      unsigned sum = thread_x();
      for (int round = 0; round < (lane < 8 ? 1 : 3); ++round) {
        sum = thread_x();
        for (int d = 4; d > 0; d /= 2) sum += device::shuffle_xor(mask, sum, d);
      }
      sums[thread_x()] = sum;
    });
    for (unsigned t = 0; t < 64; ++t) EXPECT_EQ(sums[t], 8 * (t / 8 * 8) + 28) << describe(options) << " thread " << t;
  }
}

// A lane may wait for all while others still meet in a part of the warp, and the other way round.
TEST(Warp, PartsOfTheWarpMayMeetWhileTheRestIsAhead) {
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    run_block(32, 0, [] {
      const unsigned lane = thread_x();
      if (lane >= 8 && lane < 24) {
        EXPECT_EQ(device::shuffle_xor(0x00ffff00u, lane, 1), lane ^ 1);
      }
      EXPECT_EQ(device::shuffle(kAll, lane, 31 - static_cast<int>(lane)), 31 - lane);
      if (lane < 4) {
        EXPECT_EQ(device::ballot(0xfu, lane == 3), 8u);
      }
    });
  }
}

// Without a warp barrier lanes run one after another, and shared data of the other lanes is missing.
TEST(Warp, BarrierOrdersSharedMemory) {
  const auto rotate = [](bool with_barrier) {
    int wrong = 0;
    run_block(32, 128, [&] {
      shared_int(thread_x()) = static_cast<int>(thread_x());
      if (with_barrier) device::warp_barrier(kAll);
      wrong += shared_int((thread_x() + 1) % 32) != static_cast<int>((thread_x() + 1) % 32);
    });
    return wrong;
  };
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    EXPECT_EQ(rotate(true), 0) << describe(options);
    EXPECT_GT(rotate(false), 0) << describe(options);
  }
}

TEST(Warp, LanesThatReturnedDoNotCount) {
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    run_block(50, 0, [] {  // the second warp has 18 lanes
      if (thread_x() == 3) return;
      EXPECT_EQ(device::ballot(kAll, true), thread_x() < 32 ? 0xfffffff7u : 0x3ffffu);
    });
  }
}

std::string error_in_a_warp(const std::function<void(unsigned lane)>& body) {
  return error_of([&] { run_block(32, 1024, [&] { body(thread_x()); }); });
}

TEST(WarpErrors, ALaneOutsideItsOwnMask) {
  EXPECT_EQ(error_in_a_warp([](unsigned) { device::shuffle_xor(0xffffu, 0, 1); }),
            "kernel 'probe', block (0, 0, 0), thread (16, 0, 0): calls shuffle_xor with mask 0x0000ffff, which lacks "
            "its own lane");
}

TEST(WarpErrors, DifferentMasks) {
  EXPECT_THAT(error_in_a_warp([](unsigned lane) { device::ballot(lane < 16 ? 0xffffffffu : 0xfffffff0u, true); }),
              AllOf(HasSubstr("thread (16, 0, 0): calls ballot with mask 0xfffffff0"),
                    HasSubstr("lanes 0x0000ffff of its warp wait in ballot with mask 0xffffffff")));
}

TEST(WarpErrors, DifferentOperations) {
  EXPECT_THAT(error_in_a_warp([](unsigned lane) {
                if (lane < 31) {
                  device::shuffle(kAll, 0, 0);
                } else {
                  device::warp_barrier(kAll);
                }
              }),
              AllOf(HasSubstr("thread (31, 0, 0): calls a warp barrier"), HasSubstr("wait in shuffle with mask")));
  EXPECT_THAT(error_in_a_warp([](unsigned lane) {
                int acc[4] = {};
                device::mma_m16n8k32(acc, {1, 2, 3, 4}, 5, 6, lane == 9);
              }),
              AllOf(HasSubstr("thread (9, 0, 0): calls mma m16n8k32 u8"), HasSubstr("wait in mma m16n8k32 s8")));
}

TEST(WarpErrors, ShuffleFromALaneThatTakesNoPart) {
  EXPECT_THAT(error_in_a_warp([](unsigned lane) {
                if (lane < 8) device::shuffle(0xffu, 0, 8);
              }),
              HasSubstr("shuffles from lane 8, which does not take part"));
}

TEST(WarpErrors, MatrixOperationsNeedTheWholeWarp) {
  EXPECT_THAT(error_of([] {
                run_block(16, 1024, [] {
                  int acc[2] = {};
                  device::mma_m8n8k16(acc, 0, 0, false);
                });
              }),
              HasSubstr("mma m8n8k16 needs all 32 lanes, lanes 0x0000ffff took part"));
  EXPECT_THAT(error_in_a_warp([](unsigned lane) {
                std::uint32_t r[4];
                if (lane != 31) device::ldmatrix_x4(r, 0);
              }),
              HasSubstr("ldmatrix needs all 32 lanes, lanes 0x7fffffff took part"));
}

TEST(WarpErrors, LdmatrixAddresses) {
  const auto load = [](std::uint32_t offset_of_lane_20) {
    return error_in_a_warp([=](unsigned lane) {
      std::uint32_t r[4];
      device::ldmatrix_x4(r, lane == 20 ? offset_of_lane_20 : 16 * lane);
    });
  };
  EXPECT_EQ(load(1008), "");
  EXPECT_THAT(load(1016), HasSubstr("thread (20, 0, 0): shared access out of bounds: 16 bytes at offset 1016 of 1024"));
  EXPECT_THAT(load(40), HasSubstr("thread (20, 0, 0): misaligned shared access: 16 bytes at offset 40"));
}

}  // namespace
}  // namespace gpueval::emulator
