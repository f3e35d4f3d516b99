// SPDX-License-Identifier: Apache-2.0
// Checked accesses and asynchronous copies: bounds, alignment, a wait one stage too short, a wait that is missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "cuda/prim/shared.h"
#include "cuda/prim/vector.h"
#include "emulated.h"

namespace gpueval::emulator {
namespace {

using testing::HasSubstr;

TEST(SharedAccess, OutOfBoundsNamesThreadOffsetAndSize) {
  const auto touch = [](std::uint32_t offset) {
    return error_of([=] {
      run_block(64, 100, [=] {
        if (thread_x() == 50) emu::shared_at<int>(offset) = 1;
      });
    });
  };
  EXPECT_EQ(touch(96), "");
  EXPECT_EQ(touch(100),
            "kernel 'probe', block (0, 0, 0), thread (50, 0, 0): shared access out of bounds: 4 bytes at offset 100 of "
            "100");
  EXPECT_THAT(touch(0xfffffffcu), HasSubstr("out of bounds: 4 bytes at offset 4294967292 of 100"));
  EXPECT_THAT(touch(98), HasSubstr("out of bounds"));
  EXPECT_THAT(touch(90), HasSubstr("misaligned shared access: 4 bytes at offset 90, not a multiple of 4"));
}

TEST(SharedAccess, AKernelWithoutAnArenaHasNone) {
  EXPECT_THAT(error_of([] { run_block(1, 0, [] { emu::shared_at<char>(0) = 1; }); }),
              HasSubstr("1 bytes at offset 0 of 0"));
}

TEST(SharedAccess, ArraysCheckTheirOwnSize) {
  EXPECT_THAT(error_of([] {
                run_block(32, 1024, [] {
                  const emu::Shared<int> first(0, 16), second(64, 16);
                  second[0] = first[thread_x()];  // first[16] is inside the arena, and second's
                });
              }),
              HasSubstr("thread (16, 0, 0): shared array index 16 out of bounds of 16 elements"));
}

TEST(GlobalAccess, MisalignedVectors) {
  alignas(16) std::array<std::uint8_t, 64> data{};
  const auto at = [&](std::size_t offset, bool store) {
    return error_of([&, offset, store] {
      run_block(4, 0, [&, offset, store] {
        if (thread_x() != 2) return;
        if (store) {
          emu::store_global(data.data() + offset, emu::Bytes8{});
        } else {
          static_cast<void>(emu::load_global<emu::Bytes16>(data.data() + offset));
        }
      });
    });
  };
  EXPECT_EQ(at(16, false), "");
  EXPECT_EQ(at(8, true), "");
  EXPECT_THAT(at(8, false), HasSubstr("thread (2, 0, 0): misaligned global access: address 0x"));
  EXPECT_THAT(at(8, false), HasSubstr("is not a multiple of 16"));
  EXPECT_THAT(at(4, true), HasSubstr("is not a multiple of 8"));
}

struct Source {
  alignas(16) std::array<int, 64> words{};
  Source() { std::iota(words.begin(), words.end(), 100); }
};

TEST(AsyncCopy, CopiesAndFillsWithZeros) {
  const Source source;
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    run_block(16, 512, [&] {
      const unsigned t = thread_x();
      device::cp_async_16(16 * t, &source.words[4 * t], true);
      device::cp_async_16(256 + 16 * t, &source.words[0], false);
      device::cp_async_commit();
      device::cp_async_wait(0);
      for (unsigned i = 0; i < 4; ++i) {
        EXPECT_EQ(shared_int(4 * t + i), static_cast<int>(100 + 4 * t + i));
        EXPECT_EQ(shared_int(64 + 4 * t + i), 0);
      }
      device::block_barrier();
      EXPECT_EQ(shared_int(63 - t), static_cast<int>(163 - t));
      device::cp_async_4(256 + 4 * t, &source.words[t], t % 2 == 0);
      device::cp_async_commit();
      device::cp_async_wait(0);
      EXPECT_EQ(shared_int(64 + t), t % 2 == 0 ? static_cast<int>(100 + t) : 0);
      EXPECT_EQ(shared_int(4 * t), static_cast<int>(100 + 4 * t));
    });
  }
}

TEST(AsyncCopy, LateOnesAreInvisibleBeforeTheWaitAndEarlyOnesAreThereAtOnce) {
  const Source source;
  for (const bool late : {true, false}) {
    const WithOptions with({.late_copies = late});
    run_block(1, 16, [&] {
      shared_int(0) = -1;
      device::cp_async_16(0, source.words.data(), true);
      device::cp_async_commit();
      EXPECT_EQ(shared_int(0), late ? -1 : 100);
      device::cp_async_wait(1);
      EXPECT_EQ(shared_int(0), late ? -1 : 100);
      device::cp_async_wait(0);
      EXPECT_EQ(shared_int(0), 100);
    });
  }
}

// A pipeline of three stages over 40 tiles: the classic loop of the convolutions.
int wrong_tiles(int wait) {
  static constexpr int kTiles = 40, kStages = 3;
  const Source source;
  int wrong = 0;
  run_block(4, kStages * 64, [&] {
    const unsigned t = thread_x();
    const auto load = [&](int tile) {
      if (tile < kTiles) {
        const auto stage = static_cast<unsigned>(tile % kStages), from = static_cast<unsigned>(tile % 4);
        device::cp_async_16(stage * 64 + 16 * t, &source.words[16 * from + 4 * t], true);
      }
      device::cp_async_commit();
    };
    for (int tile = 0; tile < kStages - 1; ++tile) load(tile);
    for (int tile = 0; tile < kTiles; ++tile) {
      device::cp_async_wait(wait);
      device::block_barrier();
      load(tile + kStages - 1);
      const unsigned other = (t + 1) % 4;
      wrong += shared_int(static_cast<unsigned>(tile % kStages) * 16 + 4 * other) !=
               static_cast<int>(100 + 16 * static_cast<unsigned>(tile % 4) + 4 * other);
    }
    device::cp_async_wait(0);
  });
  return wrong;
}

TEST(AsyncCopy, PipelinesWorkAndAWaitOneStageTooShortShows) {
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    EXPECT_EQ(wrong_tiles(1), 0) << describe(options);
    if (options.late_copies) {
      EXPECT_GT(wrong_tiles(2), 0) << describe(options);
    }
  }
}

// A copy issued before the barrier that protects the old data: caught when copies are early.
TEST(AsyncCopy, OverwritingWhatOthersStillReadShowsWhenCopiesAreEarly) {
  const Source source;
  int wrong = 0;
  const WithOptions with({.late_copies = false});
  run_block(64, 64, [&] {
    if (thread_x() == 0) shared_int(0) = 5;
    device::block_barrier();
    if (thread_x() == 0) {
      device::cp_async_16(0, source.words.data(), true);
      device::cp_async_commit();
    }
    wrong += shared_int(0) != 5;  // a barrier is missing before the copy
    device::block_barrier();
    device::cp_async_wait(0);
  });
  EXPECT_GT(wrong, 0);
}

TEST(AsyncCopy, UnwaitedCopiesAreErrors) {
  const Source source;
  const auto run_with = [&](bool commit, int wait) {
    return error_of([&, commit, wait] {
      run_block(8, 256, [&, commit, wait] {
        if (thread_x() != 6) return;
        for (unsigned i = 0; i < 3; ++i) {
          device::cp_async_16(16 * i, source.words.data(), true);
          if (commit) device::cp_async_commit();
        }
        device::cp_async_wait(wait);
      });
    });
  };
  for (const bool late : {true, false}) {
    const WithOptions with({.late_copies = late});
    EXPECT_EQ(run_with(true, 0), "");
    EXPECT_EQ(run_with(true, 2),
              "kernel 'probe', block (0, 0, 0), thread (6, 0, 0): returned with 2 asynchronous copies that no cp.async "
              "wait covered");
    EXPECT_THAT(run_with(false, 0), HasSubstr("returned with 3 asynchronous copies"));
  }
}

TEST(AsyncCopy, AddressesAreChecked) {
  const Source source;
  const auto copy = [&](std::uint32_t offset, std::size_t from) {
    return error_of([&, offset, from] {
      run_block(1, 100, [&, offset, from] {
        device::cp_async_16(offset, reinterpret_cast<const std::byte*>(source.words.data()) + from, true);
        device::cp_async_commit();
        device::cp_async_wait(0);
      });
    });
  };
  EXPECT_EQ(copy(80, 16), "");
  EXPECT_THAT(copy(96, 0), HasSubstr("shared access out of bounds: 16 bytes at offset 96 of 100"));
  EXPECT_THAT(copy(8, 0), HasSubstr("misaligned shared access: 16 bytes at offset 8"));
  EXPECT_THAT(copy(0, 8), HasSubstr("misaligned global access"));
}

#if defined(__SANITIZE_ADDRESS__)
// A raw pointer into the arena escapes the checked accessors, not the sanitizer.
TEST(SanitizerDeathTest, RawOverrunOfTheArena) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run_block(1, 100,
                         [] {
                           volatile char* arena = reinterpret_cast<char*>(device::shared(0, 1, 1));
                           arena[100] = 1;
                         }),
               "use-after-poison");
}

TEST(SanitizerDeathTest, OverrunOfAThreadsOwnArray) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run_block(64, 0,
                         [] {
                           volatile int local[4] = {};
                           device::block_barrier();
                           volatile unsigned at = thread_x() == 40 ? 4 : 0;
                           local[at] = local[0] + 1;
                         }),
               "stack-buffer-overflow|out of bounds");
}
#endif

}  // namespace
}  // namespace gpueval::emulator
