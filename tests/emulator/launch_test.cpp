// SPDX-License-Identifier: Apache-2.0
// Geometry, order of the threads, the shared arena, blocks on several host threads. Guards against: a thread that never
// runs, shared memory that keeps what the block before left, an emulator that is broken after an error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <cstring>
#include <set>
#include <stdexcept>
#include <tuple>

#include "emulated.h"

namespace gpueval::emulator {
namespace {

using testing::HasSubstr;

TEST(Launch, EveryThreadOfEveryBlockRunsOnce) {
  const Dim3 grid{3, 2, 2}, block{5, 3, 4};
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    std::vector<std::atomic<int>> runs(3 * 2 * 2 * 60);
    run("probe", grid, block, 0, [&] {
      EXPECT_EQ(device::grid_size(), grid);
      EXPECT_EQ(device::block_size(), block);
      const Dim3 b = device::block_index(), t = device::thread_index();
      ASSERT_TRUE(b.x < grid.x && b.y < grid.y && b.z < grid.z && t.x < block.x && t.y < block.y && t.z < block.z);
      ++runs[((b.z * 2 + b.y) * 3 + b.x) * 60 + (t.z * 3 + t.y) * 5 + t.x];
    });
    for (std::size_t i = 0; i < runs.size(); ++i) ASSERT_EQ(runs[i], 1) << describe(options) << ", thread " << i;
  }
}

std::vector<unsigned> order_of_threads(const Options& options) {
  const WithOptions with(options);
  std::vector<unsigned> order;
  run_block(70, 0, [&] { order.push_back(thread_x()); });
  return order;
}

TEST(Launch, SchedulesOrderWarpsAndLanes) {
  std::vector<unsigned> up, down;
  for (unsigned i = 0; i < 70; ++i) {
    up.push_back(i);
    down.push_back(69 - i);
  }
  EXPECT_EQ(order_of_threads({.schedule = Schedule::kAscending}), up);
  EXPECT_EQ(order_of_threads({.schedule = Schedule::kDescending}), down);
  const auto one = order_of_threads({.schedule = Schedule::kRandom, .seed = 1});
  EXPECT_EQ(one, order_of_threads({.schedule = Schedule::kRandom, .seed = 1}));
  EXPECT_NE(one, order_of_threads({.schedule = Schedule::kRandom, .seed = 2}));
  EXPECT_NE(one, up);
  EXPECT_EQ(std::set<unsigned>(one.begin(), one.end()).size(), 70u);
}

std::vector<unsigned> order_of_blocks(const Options& options, unsigned blocks) {
  const WithOptions with(options);
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  std::vector<unsigned> order;
  run("probe", {blocks, 1, 1}, {}, 0, [&] { order.push_back(device::block_index().x); });
  omp_set_num_threads(threads);
  return order;
}

TEST(Launch, SchedulesOrderBlocks) {
  EXPECT_EQ(order_of_blocks({.schedule = Schedule::kAscending}, 4), (std::vector<unsigned>{0, 1, 2, 3}));
  EXPECT_EQ(order_of_blocks({.schedule = Schedule::kDescending}, 4), (std::vector<unsigned>{3, 2, 1, 0}));
  for (const unsigned blocks : {2u, 3u, 64u, 90u, 101u}) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
      const auto order = order_of_blocks({.schedule = Schedule::kRandom, .seed = seed}, blocks);
      EXPECT_EQ(order.size(), blocks);
      EXPECT_EQ(std::set<unsigned>(order.begin(), order.end()).size(), blocks) << "seed " << seed;
    }
  }
  EXPECT_NE(order_of_blocks({.schedule = Schedule::kRandom, .seed = 1}, 64),
            order_of_blocks({.schedule = Schedule::kRandom, .seed = 2}, 64));
}

// A warp runs to the block barrier before the next one starts: what round robin would hide shows.
TEST(Launch, OneWarpRunsToItsBarrierBeforeTheNext) {
  std::vector<unsigned> trace;
  run_block(64, 0, [&] {
    trace.push_back(thread_x() / 32);
    device::warp_barrier(~0u);
    trace.push_back(thread_x() / 32);
    device::block_barrier();
    trace.push_back(thread_x() / 32 + 2);
  });
  std::vector<unsigned> expected(64, 0);
  expected.insert(expected.end(), 64, 1);
  expected.insert(expected.end(), 32, 2);
  expected.insert(expected.end(), 32, 3);
  EXPECT_EQ(trace, expected);
}

std::vector<unsigned char> arena_bytes(std::size_t bytes, std::uint64_t seed) {
  const WithOptions with({.seed = seed});
  std::vector<unsigned char> found(bytes);
  run_block(1, bytes, [&] {
    const std::byte* arena = device::shared(0, bytes, 1);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(arena) % 1024, 0u);
    std::memcpy(found.data(), arena, bytes);
  });
  return found;
}

TEST(SharedArena, StartsWithSeededGarbage) {
  for (const std::size_t bytes : {1u, 7u, 1024u, 5000u, 100000u}) {
    const auto first = arena_bytes(bytes, 5);
    EXPECT_EQ(first, arena_bytes(bytes, 5));
    if (bytes < 100) continue;
    EXPECT_NE(first, arena_bytes(bytes, 6));
    EXPECT_GT(std::set<unsigned char>(first.begin(), first.end()).size(), 200u);
  }
}

// A kernel that forgets to initialize must not find the zeros that another block left.
TEST(SharedArena, IsFreshForEveryBlock) {
  std::atomic<int> inherited = 0;
  run("probe", {64, 1, 1}, {32, 1, 1}, 128, [&] {
    if (shared_int(thread_x()) == 77) ++inherited;
    shared_int(thread_x()) = 77;
  });
  EXPECT_EQ(inherited, 0);
}

TEST(SharedArena, ABlockSeesItsOwnOnly) {
  std::vector<int> sums(100);
  run("probe", {100, 1, 1}, {64, 1, 1}, 256, [&] {
    const unsigned b = device::block_index().x;
    shared_int(thread_x()) = static_cast<int>(b + thread_x());
    device::block_barrier();
    if (thread_x() == 0) {
      for (unsigned i = 0; i < 64; ++i) sums[b] += shared_int(i);
    }
  });
  for (int b = 0; b < 100; ++b) EXPECT_EQ(sums[static_cast<std::size_t>(b)], 64 * b + 2016);
}

TEST(Launch, AtomicsWorkAcrossBlocks) {
  int total = 0;
  run("probe", {500, 1, 1}, {64, 1, 1}, 0, [&] {
    std::atomic_ref<int>(total).fetch_add(1);
    device::block_barrier();
    std::atomic_ref<int>(total).fetch_add(1);
  });
  EXPECT_EQ(total, 500 * 64 * 2);
}

TEST(Launch, SizesOutsideTheDevicesLimitsAreErrors) {
  const auto message = [](Dim3 grid, Dim3 block) { return error_of([=] { run("probe", grid, block, 0, [] {}); }); };
  EXPECT_EQ(message({}, {1025, 1, 1}), "kernel 'probe': a block has 1 to 1024 threads, asked for 1025 x 1 x 1");
  EXPECT_THAT(message({}, {32, 0, 1}), HasSubstr("asked for 32 x 0 x 1"));
  EXPECT_THAT(message({0, 1, 1}, {}), HasSubstr("blocks, asked for 0 x 1 x 1"));
  EXPECT_THAT(message({1, 65536, 1}, {}), HasSubstr("65535"));
  EXPECT_EQ(message({1, 65535, 1}, {}), "");
  EXPECT_EQ(message({}, {32, 8, 4}), "");
}

TEST(Launch, AnExceptionOfTheBodyReachesTheCaller) {
  for (const unsigned blocks : {1u, 50u}) {
    EXPECT_THROW(run("probe", {blocks, 1, 1}, {256, 1, 1}, 0,
                     [] {
                       device::block_barrier();
                       if (thread_x() == 200) throw std::out_of_range("");
                       device::block_barrier();
                     }),
                 std::out_of_range);
  }
}

TEST(Launch, KernelsCannotLaunchKernels) {
  EXPECT_EQ(error_of([] { run_block(1, 0, [] { run("inner", {}, {}, 0, [] {}); }); }),
            "kernel 'inner': launched by a kernel");
}

TEST(Launch, WorksAgainAfterAnError) {
  for (int round = 0; round < 20; ++round) {
    const std::string error = error_of([] {
      run("probe", {8, 1, 1}, {256, 1, 1}, 64, [] {
        device::block_barrier();
        device::shuffle_xor(~0u, 0, 1);
        if (device::block_index().x == 5 && thread_x() == 77) shared_int(16) = 1;
        device::block_barrier();
      });
    });
    EXPECT_THAT(error, HasSubstr("kernel 'probe', block (5, 0, 0), thread (77, 0, 0): shared access out of bounds"));
    int sum = 0;
    run_block(256, 1024, [&] {
      shared_int(thread_x()) = 1;
      device::block_barrier();
      if (thread_x() == 255) {
        for (unsigned i = 0; i < 256; ++i) sum += shared_int(i);
      }
    });
    EXPECT_EQ(sum, 256);
  }
}

// Locals of a suspended thread are its own, and a deep call chain fits the stack.
int nested(int depth, unsigned id) {
  volatile int keep[16];
  for (int i = 0; i < 16; ++i) keep[i] = static_cast<int>(id) * 100 + i;
  if (depth % 10 == 0) device::block_barrier();
  const int below = depth > 0 ? nested(depth - 1, id) : 0;
  for (int i = 0; i < 16; ++i) {
    if (keep[i] != static_cast<int>(id) * 100 + i) return -1000000;
  }
  return below + 1;
}

TEST(Launch, ThreadsKeepTheirStacks) {
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    std::vector<int> depth(96);
    run_block(96, 0, [&] { depth[thread_x()] = nested(100, thread_x()); });
    EXPECT_EQ(depth, std::vector<int>(96, 101));
  }
}

}  // namespace
}  // namespace gpueval::emulator
