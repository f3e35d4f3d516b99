// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "core/random.h"
#include "core/sha256.h"
#include "core/threads.h"
#include "gpueval/error.h"
#include "gpueval/tensor.h"

namespace gpueval {
namespace {

TEST(Sha256, KnownDigests) {
  EXPECT_EQ(Sha256().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 sum;  // FIPS 180-2's example, in two pieces
  sum.update("a");
  sum.update("bc");
  EXPECT_EQ(sum.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// Of any length before and behind: the state has what did not fill a block yet.
TEST(Sha256, GoesOnFromItsState) {
  const std::string text(300, 'x');
  for (const std::size_t cut : {0u, 1u, 55u, 63u, 64u, 65u, 128u, 299u, 300u}) {
    Sha256 whole, front, back;
    whole.update(text);
    front.update(std::string_view(text).substr(0, cut));
    back.set_state(front.state());
    back.update(std::string_view(text).substr(cut));
    EXPECT_EQ(back.hex(), whole.hex()) << cut;
  }
}

TEST(Sha256, MissingFileIsNamed) {
  try {
    sha256_file("/nowhere/weights.h5");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/nowhere/weights.h5"), std::string::npos);
  }
}

// Values of the published reference implementation for seed 1234567.
TEST(Random, IsSplitMix64) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(AlignedBuffer, IsAlignedAndZero) {
  const AlignedBuffer buffer(100);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0u);
  EXPECT_EQ(buffer.size(), 128u);
  for (std::size_t i = 0; i < buffer.size(); ++i) EXPECT_EQ(buffer.data()[i], std::byte{0});
}

TEST(ParallelFor, RunsEveryTaskOnce) {
  for (const int workers : {1, 2, 5}) {
    set_threads(workers);
    std::vector<std::atomic<int>> runs(1001);
    parallel_for(1001, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
    parallel_for_dynamic(1001, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
    for (const auto& run : runs) EXPECT_EQ(run, 2);
  }
  set_threads(0);
}

TEST(ParallelFor, RethrowsAnException) {
  EXPECT_THROW(parallel_for_dynamic(10,
                                    [](std::int64_t i) {
                                      if (i == 7) throw std::runtime_error("seven");
                                    }),
               std::runtime_error);
}

}  // namespace
}  // namespace gpueval
