// SPDX-License-Identifier: Apache-2.0
// The roofs cannot be known in advance; these are the orders that must hold between them.
#include "cpu/roof/roof.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "cpu/roof/roof_loops.h"
#include "gpueval/engine.h"

namespace gpueval::cpu {
namespace {

constexpr RoofOptions kQuick = {.threads = 1, .seconds = 0.02, .copy_bytes = std::size_t{4} << 20};

TEST(Roof, EveryUsableIsaIsMeasured) {
  for (const Isa isa : usable_isas()) {
    const Roofs roofs = measure_roofs(isa, kQuick);
    EXPECT_EQ(roofs.isa, to_string(isa));
    EXPECT_EQ(roofs.threads, 1);
    // From an emulated CPU to more than any core has.
    EXPECT_GT(roofs.int8_tops, 1e-5) << roofs.isa;
    EXPECT_LT(roofs.int8_tops, 50) << roofs.isa;
    EXPECT_GT(roofs.f32_tflops, 1e-5) << roofs.isa;
    EXPECT_LT(roofs.f32_tflops, 20) << roofs.isa;
    EXPECT_GT(roofs.copy_gbs, 0.01) << roofs.isa;
    EXPECT_LT(roofs.copy_gbs, 2000) << roofs.isa;
    EXPECT_EQ(roofs.copy_bytes, kQuick.copy_bytes);
  }
  set_threads(0);
}

// Other threads that keep every core busy slow the parts down; they do not make them shorter, nor the roof next to
// none.
TEST(Roof, HoldsOnABusyMachine) {
  const Roofs alone = measure_roofs(usable_isas().back(), kQuick);
  std::atomic<bool> stop{false};
  std::vector<std::jthread> others;
  for (unsigned i = 0; i < 3 * std::thread::hardware_concurrency(); ++i) {
    others.emplace_back([&] {
      while (!stop) {
      }
    });
  }
  RoofOptions two = kQuick;
  two.threads = 2;
  const Roofs busy = measure_roofs(usable_isas().back(), two);
  stop = true;
  EXPECT_GT(busy.int8_tops, 0.1 * alone.int8_tops);
  EXPECT_GT(busy.f32_tflops, 0.1 * alone.f32_tflops);
  EXPECT_GT(busy.copy_gbs, 0.02 * alone.copy_gbs);
  set_threads(0);
}

// A loop that the compiler had shortened would return too little.
TEST(Roof, LoopsDoEveryRound) {
  EXPECT_EQ(kRoofPortable.int8.run(0), 0);
  EXPECT_EQ(static_cast<std::uint32_t>(kRoofPortable.int8.run(10)),
            static_cast<std::uint32_t>(10 * kRoofPortable.int8.run(1)));
#if defined(__x86_64__)
  if (usable(Isa::kAvx2)) {
    // 16 bits: 2 * -5 + 3 * 5 = 5 a round and chain.
    EXPECT_EQ(kRoofAvx2.int8.run(1000), 5 * 12 * 1000);
    // x -> x / 2 + 1 tends to 2 in each chain.
    EXPECT_EQ(kRoofAvx2.f32.run(100), 2 * 12);
  }
#if defined(GPUEVAL_AVX_VNNI)
  if (usable(Isa::kAvxVnni)) {
    EXPECT_EQ(kRoofAvxVnniInt8.run(1000), -12 * 12 * 1000);  // per round and chain as for kRoofAvx512Vnni below
  }
#endif
  if (usable(Isa::kAvx512Vnni)) {
    // 4 * -7 + 3 * 7 + 2 * -5 + 1 * 5 = -12 a round and chain.
    EXPECT_EQ(kRoofAvx512Vnni.int8.run(1000), -12 * 16 * 1000);
    EXPECT_EQ(kRoofAvx512Vnni.f32.run(100), 2 * 16);
  }
  if (usable(Isa::kAmx)) {
    EXPECT_EQ(kRoofAmxInt8.run(1000), -12 * 16 * 6 * 1000);
  }
#endif
}

TEST(Roof, LastLevelCacheIsPlausible) {
  EXPECT_GE(last_level_cache_bytes(), std::size_t{64} << 10);
  EXPECT_LE(last_level_cache_bytes(), std::size_t{8} << 30);
}

}  // namespace
}  // namespace gpueval::cpu
