// SPDX-License-Identifier: Apache-2.0
// wgmma: sums in the layout of the PTX ISA, read early or late, and each kind of misuse, planted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

#include "core/random.h"
#include "emulated.h"

namespace gpueval::emulator {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// One product of 64 (a warpgroup) x n x 128 bytes, done by `groups` warpgroups, each with rows of its own.
struct Case {
  int n = 64, groups = 1;
  bool unsigned_a = true;
  std::vector<std::uint8_t> a, b;
  std::vector<int> c;

  explicit Case(int columns = 64, int warpgroups = 1, bool is_unsigned = true)
      : n(columns), groups(warpgroups), unsigned_a(is_unsigned) {
    Random random(3);
    a.resize(static_cast<std::size_t>(64 * groups * 128));
    b.resize(static_cast<std::size_t>(n * 128));
    c.resize(static_cast<std::size_t>(64 * groups * n));
    for (auto& v : a) v = static_cast<std::uint8_t>(random.next() >> 9);
    for (auto& v : b) v = static_cast<std::uint8_t>(random.next() >> 9);
    for (auto& v : c) v = static_cast<int>(random.next() >> 9);  // sums wrap
  }
  unsigned threads() const { return static_cast<unsigned>(128 * groups); }
  std::uint32_t a_bytes() const { return static_cast<std::uint32_t>(a.size()); }
  std::uint32_t bytes() const { return static_cast<std::uint32_t>(a.size() + b.size()); }

  std::vector<int> expected() const {
    std::vector<int> sums(c.size());
    for (int row = 0; row < 64 * groups; ++row) {
      for (int column = 0; column < n; ++column) {
        auto sum = static_cast<std::uint32_t>(c[static_cast<std::size_t>(row * n + column)]);
        for (int k = 0; k < 128; ++k) {
          const std::uint8_t byte = a[static_cast<std::size_t>(row * 128 + k)];
          const int x = unsigned_a ? int{byte} : int{static_cast<std::int8_t>(byte)};
          sum +=
              static_cast<std::uint32_t>(x * static_cast<std::int8_t>(b[static_cast<std::size_t>(column * 128 + k)]));
        }
        sums[static_cast<std::size_t>(row * n + column)] = static_cast<int>(sum);
      }
    }
    return sums;
  }
};

// PTX ISA: bits 4-6 of an address are turned by its bits 7-9.
std::uint32_t swizzled(std::uint32_t flat) { return flat ^ (flat >> 3 & 0x70); }
std::uint32_t plain(std::uint32_t flat) { return flat; }

std::uint64_t descriptor(std::uint32_t start, std::uint32_t stride = 1024, std::uint64_t layout = 1) {
  return std::uint64_t{start} >> 4 | std::uint64_t{1} << 16 | std::uint64_t{stride} >> 4 << 32 | layout << 62;
}

void store(const Case& k, std::uint32_t (*place)(std::uint32_t)) {
  for (std::uint32_t i = thread_x(); i < k.bytes(); i += k.threads()) {
    shared_at<std::uint8_t>(place(i)) = i < k.a_bytes() ? k.a[i] : k.b[i - k.a_bytes()];
  }
}

// A thread's accumulators. On its stack alone: a thread that an error abandons destroys nothing.
class Lane {
 public:
  explicit Lane(const Case& k) : case_(k), count_(static_cast<std::size_t>(k.n / 2)) {
    for (std::size_t i = 0; i < count_; ++i) acc[i] = k.c[at(i)];
  }
  // PTX ISA, "Register Fragments for wgmma.mma_async.m64nNk32", accumulator D.
  std::size_t at(std::size_t i) const {
    const std::size_t t = thread_x(), row = t / 32 * 16 + t % 32 / 4 + i / 2 % 2 * 8;
    return row * static_cast<std::size_t>(case_.n) + i / 4 * 8 + 2 * (t % 4) + i % 2;
  }
  // The 128 bytes of depth.
  void multiply(std::uint64_t a, std::uint64_t b) {
    for (std::uint64_t part = 0; part < 4; ++part) {
      device::wgmma(acc.data(), case_.n, a + 2 * part, b + 2 * part, case_.unsigned_a);
    }
  }
  void multiply() { multiply(descriptor(thread_x() / 128 * 8192), descriptor(case_.a_bytes())); }
  void put(std::vector<int>& out) const {
    for (std::size_t i = 0; i < count_; ++i) out[at(i)] = acc[i];
  }

 private:
  const Case& case_;
  std::size_t count_;

 public:
  std::array<int, 128> acc{};
};

// Runs body(lane) between the operands' arrival in shared memory and the output; the sums.
std::vector<int> sums_of(const Case& k, const std::function<void(Lane&)>& body,
                         std::uint32_t (*place)(std::uint32_t) = swizzled) {
  std::vector<int> out(k.c.size());
  run_block(k.threads(), k.bytes(), [&] {
    store(k, place);
    device::async_proxy_fence();
    device::block_barrier();
    Lane lane(k);
    body(lane);
    lane.put(out);
  });
  return out;
}

void right(Lane& lane) {
  device::wgmma_fence();
  lane.multiply();
  device::wgmma_commit();
  device::wgmma_wait(0);
}

class WgmmaTest : public testing::TestWithParam<bool> {  // late products
 protected:
  WgmmaTest() : with_({.late_products = GetParam()}) {}

 private:
  WithOptions with_;
};
INSTANTIATE_TEST_SUITE_P(, WgmmaTest, testing::Bool(),
                         [](const auto& late) { return std::string(late.param ? "late" : "early"); });

TEST_P(WgmmaTest, MultipliesInTheFragmentsOfTheIsa) {
  for (Options options : all_options()) {
    options.late_products = GetParam();
    const WithOptions with(options);
    for (const Case& k : {Case(64, 2, true), Case(128, 1, false), Case(256, 1, true)}) {
      EXPECT_EQ(sums_of(k, right), k.expected()) << describe(options) << " n " << k.n;
    }
  }
}

// As mma_gemm's warps: every second 8 rows, from the first or the second on.
TEST_P(WgmmaTest, TakesRowsOfAnyStride) {
  const Case all(64, 2);
  std::vector<int> expected = all.expected(), out(expected.size());
  run_block(128, all.bytes(), [&] {
    for (std::uint32_t i = thread_x(); i < all.bytes(); i += 128) {
      shared_at<std::uint8_t>(swizzled(i)) = i < all.a_bytes() ? all.a[i] : all.b[i - all.a_bytes()];
    }
    device::async_proxy_fence();
    device::block_barrier();
    std::array<int, 32> acc[2] = {};
    device::wgmma_fence();
    for (std::uint32_t part = 0; part < 4; ++part) {
      for (std::uint32_t i = 0; i < 2; ++i) {
        device::wgmma(acc[i].data(), 64, descriptor(i * 1024 + part * 32, 2048), descriptor(16384 + part * 32), true);
      }
    }
    device::wgmma_commit();
    device::wgmma_wait(0);
    const std::size_t t = thread_x();
    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t e = 0; e < 32; ++e) {
        const std::size_t row = t / 32 * 16 + t % 32 / 4 + e / 2 % 2 * 8;  // of the product
        const std::size_t at = (row / 8 * 16 + i * 8 + row % 8) * 64 + e / 4 * 8 + 2 * (t % 4) + e % 2;
        out[at] = static_cast<int>(static_cast<unsigned>(acc[i][e]) + static_cast<unsigned>(all.c[at]));
      }
    }
  });
  EXPECT_EQ(out, expected);
}

TEST_P(WgmmaTest, SumsOverGroupsUnderWay) {
  const Case k;
  std::vector<int> expected = k.expected();
  for (std::size_t i = 0; i < expected.size(); ++i) {  // c + 3 products
    expected[i] = static_cast<int>(static_cast<unsigned>(expected[i]) * 3 - 2 * static_cast<unsigned>(k.c[i]));
  }
  EXPECT_EQ(sums_of(k,
                    [](Lane& lane) {
                      device::wgmma_fence();
                      for (int i = 0; i < 3; ++i) {
                        lane.multiply();
                        device::wgmma_commit();
                        device::wgmma_wait(1);
                      }
                      device::wgmma_wait(0);
                    }),
            expected);
}

TEST_P(WgmmaTest, SeesAWrongDescriptor) {
  const Case k;
  const auto with = [&](std::uint64_t a, std::uint64_t b) {
    std::vector<int> sums;
    const std::string error = error_of([&] {
      sums = sums_of(k, [&](Lane& lane) {
        device::wgmma_fence();
        lane.multiply(a, b);
        device::wgmma_commit();
        device::wgmma_wait(0);
      });
    });
    return error.empty() && sums != k.expected() ? "wrong sums" : error;
  };
  EXPECT_EQ(with(descriptor(0), descriptor(8192)), "");
  EXPECT_EQ(with(descriptor(0), descriptor(0)), "wrong sums");
  EXPECT_EQ(with(descriptor(0, 2048), descriptor(8192, 1024)), "wrong sums");  // the stride of another tile
  EXPECT_THAT(with(descriptor(0), descriptor(8192, 2048)), HasSubstr("wgmma reads 16 bytes of shared memory at 16384"));
  EXPECT_THAT(with(descriptor(0, 512), descriptor(8192)), HasSubstr("stride offset is no multiple of 1024"));
  EXPECT_THAT(with(descriptor(0, 1024, 2), descriptor(8192)),
              AllOf(HasSubstr("of A: its layout"), HasSubstr("thread (")));
  EXPECT_THAT(with(descriptor(0), descriptor(8192, 1024, 0)), HasSubstr("of B: its layout"));
  EXPECT_THAT(with(descriptor(128), descriptor(8192)), HasSubstr("not in the first row"));
  EXPECT_THAT(with(descriptor(32), descriptor(8192)), HasSubstr("not in the first row"));  // its last part runs out
  EXPECT_THAT(with(descriptor(0) | std::uint64_t{1} << 49, descriptor(8192)), HasSubstr("not known here"));
}

TEST_P(WgmmaTest, SeesAMissingSwizzle) {
  const Case k;
  EXPECT_NE(sums_of(k, right, plain), k.expected());
}

// Operands by cp.async. fence: who does it, and when.
enum class Fence { kRight, kNone, kBeforeTheWait, kOneThread };

std::string copied(const Case& k, Fence fence, bool late_copies, bool late_products) {
  const WithOptions with({.late_copies = late_copies, .late_products = late_products});
  std::vector<std::uint8_t> memory(k.bytes() + 16);
  std::uint8_t* const from = memory.data() + (16 - reinterpret_cast<std::uintptr_t>(memory.data()) % 16) % 16;
  std::copy(k.a.begin(), k.a.end(), from);
  std::copy(k.b.begin(), k.b.end(), from + k.a_bytes());
  std::vector<int> out(k.c.size());
  const std::string error = error_of([&] {
    run_block(k.threads(), k.bytes(), [&] {
      for (std::uint32_t i = 16 * thread_x(); i < k.bytes(); i += 16 * k.threads()) {
        device::cp_async_16(swizzled(i), from + i, true);
      }
      device::cp_async_commit();
      if (fence == Fence::kBeforeTheWait) device::async_proxy_fence();
      device::cp_async_wait(0);
      if (fence == Fence::kRight || (fence == Fence::kOneThread && thread_x() == 0)) device::async_proxy_fence();
      device::block_barrier();
      Lane lane(k);
      right(lane);
      lane.put(out);
    });
  });
  return error.empty() && out != k.expected() ? "wrong sums" : error;
}

TEST_P(WgmmaTest, SeesAMissingProxyFence) {
  const Case k;
  for (const bool late : {true, false}) {
    EXPECT_EQ(copied(k, Fence::kRight, late, GetParam()), "");
    EXPECT_THAT(copied(k, Fence::kNone, late, GetParam()), HasSubstr("without fence.proxy.async"));
    EXPECT_THAT(copied(k, Fence::kOneThread, late, GetParam()), HasSubstr("without fence.proxy.async"));
  }
  EXPECT_THAT(copied(k, Fence::kBeforeTheWait, true, GetParam()), HasSubstr("without fence.proxy.async"));
  EXPECT_THAT(error_of([&] {
                run_block(128, k.bytes(), [&] {
                  store(k, swizzled);
                  device::block_barrier();
                  Lane lane(k);
                  right(lane);
                });
              }),
              AllOf(HasSubstr("without fence.proxy.async"), HasSubstr("thread (")));
}

// Some schedule or other shows it: sums differ, or the writer's missing fence is seen.
TEST(Wgmma, SeesOperandsOverwrittenUnderWay) {
  const WithOptions with({.late_products = true});
  const Case k;
  for (const bool fenced : {false, true}) {
    std::vector<int> sums;
    const std::string error = error_of([&] {
      sums = sums_of(k, [&](Lane& lane) {
        device::wgmma_fence();
        lane.multiply();
        device::wgmma_commit();
        shared_at<std::uint32_t>(4 * thread_x()) ^= 0x01010101;
        if (fenced) device::async_proxy_fence();
        device::wgmma_wait(0);
      });
    });
    EXPECT_TRUE(!error.empty() || sums != k.expected()) << fenced;
  }
}

TEST_P(WgmmaTest, SeesAMissingWait) {
  const Case k;
  EXPECT_THAT(error_of([&] {
                sums_of(k, [](Lane& lane) {
                  device::wgmma_fence();
                  lane.multiply();
                  device::wgmma_commit();
                  device::wgmma_wait(1);  // one short
                });
              }),
              HasSubstr("returned with wgmma that no wait covered"));
  EXPECT_THAT(error_of([&] {
                sums_of(k, [](Lane& lane) {
                  device::wgmma_fence();
                  lane.multiply();
                  device::wgmma_wait(0);  // of groups: this one was never closed
                });
              }),
              HasSubstr("returned with wgmma that no wait covered"));
}

TEST_P(WgmmaTest, SeesAccumulatorsTouchedUnderWay) {
  const Case k;
  std::vector<int> early(k.c.size());
  sums_of(k, [&](Lane& lane) {
    device::wgmma_fence();
    lane.multiply();
    device::wgmma_commit();
    lane.put(early);
    device::wgmma_wait(0);
  });
  EXPECT_NE(early, k.expected());
  EXPECT_NE(early, k.c);
  EXPECT_THAT(error_of([&] {
                sums_of(k, [](Lane& lane) {
                  device::wgmma_fence();
                  lane.multiply();
                  device::wgmma_commit();
                  if (thread_x() == 77) lane.acc[5] = 0;
                  device::wgmma_wait(0);
                });
              }),
              HasSubstr("accumulator 5 of lane 13 was written while wgmma was under way"));
  EXPECT_THAT(error_of([&] {
                sums_of(k, [](Lane& lane) {
                  lane.multiply();
                  device::wgmma_commit();
                  device::wgmma_wait(0);
                });
              }),
              HasSubstr("no wgmma.fence"));
}

TEST_P(WgmmaTest, NeedsAWholeWarpgroupThatAgrees) {
  const Case k;
  const auto some = [&](unsigned threads, const std::function<void(Lane&)>& body) {
    return error_of([&] {
      run_block(threads, k.bytes(), [&] {
        Lane lane(k);
        body(lane);
      });
    });
  };
  EXPECT_THAT(some(64, right), HasSubstr("whole warpgroup of 128 threads"));
  EXPECT_THAT(some(128,
                   [](Lane& lane) {
                     if (thread_x() < 96) right(lane);
                   }),
              HasSubstr("warp 3 issued 0 wgmma, another of its warpgroup 4"));
  EXPECT_THAT(some(128,
                   [](Lane& lane) {
                     if (thread_x() != 40) right(lane);
                   }),
              HasSubstr("needs all 32 lanes"));
  EXPECT_THAT(some(128,
                   [](Lane& lane) {
                     device::wgmma_fence();
                     lane.multiply(descriptor(thread_x() / 32 * 1024),
                                   descriptor(8192));  // each warp its own rows: wrong
                     device::wgmma_commit();
                     device::wgmma_wait(0);
                   }),
              HasSubstr("another than that of its warpgroup"));
  EXPECT_THAT(some(128,
                   [](Lane& lane) {
                     device::wgmma_fence();
                     lane.multiply(descriptor(thread_x() == 3 ? 1024 : 0), descriptor(8192));
                   }),
              HasSubstr("lane 3 than in lane 0"));
}

}  // namespace
}  // namespace gpueval::emulator
