// SPDX-License-Identifier: Apache-2.0
// The tensor memory accelerator and mbarriers: what a box brings, and each kind of misuse of a pipeline, planted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/random.h"
#include "emulated.h"

namespace gpueval::emulator {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kRow = 128;

std::vector<std::uint8_t> random_bytes(std::size_t count) {
  Random random(5);
  std::vector<std::uint8_t> bytes(count + 16);
  for (auto& b : bytes) b = static_cast<std::uint8_t>(random.next() >> 9);
  return bytes;
}
std::uint8_t* aligned(std::vector<std::uint8_t>& bytes) {
  return bytes.data() + (16 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 16) % 16;
}
std::uint32_t turned(std::uint32_t flat) { return flat ^ (flat >> 3 & 0x70); }

struct At {
  std::int32_t at[4] = {};
  std::uint16_t tap[2] = {};
};

// What one thread finds behind a copy of one box to offset 1024.
std::vector<std::uint8_t> box_of(const TensorMapFields& map, const At& from) {
  std::vector<std::uint8_t> out(map.box[1] * kRow);
  run_block(1, 1024 + out.size(), [&] {
    device::mbarrier_init(0, 1);
    device::async_proxy_fence();
    device::mbarrier_arrive_expect(0, map.box[1] * kRow);
    device::bulk_copy_box(1024, map, from.at, from.tap, 0);
    device::mbarrier_wait(0, 0, "test", 1);
    for (std::uint32_t i = 0; i < out.size(); ++i) out[i] = shared_at<std::uint8_t>(1024 + turned(i));
  });
  return out;
}

TEST(BulkCopy, BringsABoxOfAMatrixAndZerosAroundIt) {
  constexpr std::uint32_t kColumns = 200, kPitch = 208, kRows = 11;
  std::vector<std::uint8_t> memory = random_bytes(kPitch * kRows);
  const std::uint8_t* const matrix = aligned(memory);
  const TensorMapFields map{
      .address = matrix, .strides = {kPitch}, .sizes = {kColumns, kRows}, .rank = 2, .box = {kRow, 8}};
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    for (const At& from : {At{{0, 0}}, At{{128, 8}}, At{{-3, -2}}, At{{300, 0}}, At{{0, 11}}}) {
      const std::vector<std::uint8_t> box = box_of(map, from);
      for (std::int32_t i = 0; i < 8 * 128; ++i) {
        const std::int32_t row = from.at[1] + i / 128, column = from.at[0] + i % 128;
        const bool inside = row >= 0 && row < 11 && column >= 0 && column < 200;
        ASSERT_EQ(box[static_cast<std::size_t>(i)], inside ? matrix[row * 208 + column] : 0)
            << describe(options) << " from " << from.at[0] << ", " << from.at[1] << " byte " << i;
      }
    }
  }
}

// A pipeline of two stages, eight rows of 128 bytes and 64 plain bytes each: thread 32 fills them, warp 0 sums them up.
enum class Fault {
  kNone,
  kFullParity,
  kEmptyParity,
  kTooFewBytes,
  kTooManyBytes,
  kBytesInsideAlone,
  kNoArrival,
  kStageBefore,
  kNoFenceOfBarriers,
  kNoBlockBarrier,
  kNoFenceOfReads,
  kNoSwizzle,
  kNoWaitAtTheEnd,
  kBarrierWrittenOver,
  kOtherColumn,
};
constexpr std::uint32_t kSteps = 7, kBox = 8 * kRow, kPlain = 64, kStage = 2048, kBarriers = 2 * kStage;
constexpr std::uint32_t kRowsInside = 7 * 8 - 3;

struct Pipeline {
  std::vector<std::uint8_t> boxes = random_bytes(kRowsInside * kRow), plain = random_bytes(kSteps * kPlain);
  Fault fault = Fault::kNone;

  bool has(Fault which) const { return fault == which; }
  static std::uint32_t full(std::uint32_t stage) { return kBarriers + 16 * stage; }
  static std::uint32_t empty(std::uint32_t stage) { return full(stage) + 8; }

  void produce(const TensorMapFields& map, const std::uint8_t* bytes) const {
    for (std::uint32_t step = 0; step < kSteps; ++step) {
      const std::uint32_t stage = step % 2, parity = step / 2 % 2;
      device::mbarrier_wait(empty(stage), has(Fault::kEmptyParity) ? parity : parity ^ 1, "produce", 1);
      const bool last = step + 1 == kSteps;
      std::uint32_t expected = kBox + kPlain;
      if (has(Fault::kTooFewBytes)) expected -= kPlain;
      if (has(Fault::kTooManyBytes)) expected += 16;
      if (has(Fault::kBytesInsideAlone) && last) expected -= 3 * kRow;
      device::mbarrier_arrive_expect(full(stage), expected);
      const std::int32_t row = static_cast<std::int32_t>(8 * step), column = has(Fault::kOtherColumn) ? 16 : 0;
      device::bulk_copy_box(stage * kStage, map, {column, row, 0, 0}, {0, 0}, full(stage));
      device::bulk_copy(stage * kStage + kBox, bytes + step * kPlain, kPlain, full(stage));
    }
  }
  void consume(std::vector<std::uint32_t>& sums) const {
    for (std::uint32_t step = 0; step < kSteps; ++step) {
      const std::uint32_t stage = step % 2, parity = step / 2 % 2;
      const bool last = step + 1 == kSteps;
      if (has(Fault::kNoWaitAtTheEnd) && last) return;
      if (has(Fault::kStageBefore)) {
        if (step > 0) device::mbarrier_wait(full(stage ^ 1), (step - 1) / 2 % 2, "consume", 1);
      } else {
        device::mbarrier_wait(full(stage), has(Fault::kFullParity) ? parity ^ 1 : parity, "consume", 1);
      }
      std::uint32_t& sum = sums[step * 32 + thread_x()];
      for (std::uint32_t i = thread_x(); i < kBox + kPlain; i += 32) {
        const std::uint32_t at = i < kBox && !has(Fault::kNoSwizzle) ? turned(i) : i;
        sum = sum * 31 + shared_at<std::uint8_t>(stage * kStage + at);
      }
      if (has(Fault::kBarrierWrittenOver)) shared_at<std::uint32_t>(empty(stage)) = 0;
      if (!has(Fault::kNoFenceOfReads)) device::async_proxy_fence();
      if (!has(Fault::kNoArrival)) device::mbarrier_arrive(empty(stage));
    }
  }
  std::vector<std::uint32_t> run() {
    std::vector<std::uint32_t> sums(kSteps * 32);
    const TensorMapFields map{
        .address = aligned(boxes), .strides = {kRow}, .sizes = {kRow, kRowsInside}, .rank = 2, .box = {kRow, 8}};
    const std::uint8_t* const bytes = aligned(plain);
    run_block(64, kBarriers + 32, [&] {
      if (thread_x() == 32) {
        for (const std::uint32_t stage : {0u, 1u}) {
          device::mbarrier_init(full(stage), 1);
          device::mbarrier_init(empty(stage), 32);
        }
        if (!has(Fault::kNoFenceOfBarriers)) device::async_proxy_fence();
      }
      if (!has(Fault::kNoBlockBarrier)) device::block_barrier("run", 1);
      if (thread_x() == 32) produce(map, bytes);
      if (thread_x() < 32) consume(sums);
    });
    return sums;
  }
  std::vector<std::uint32_t> expected() {
    std::vector<std::uint32_t> sums(kSteps * 32);
    for (std::uint32_t step = 0; step < kSteps; ++step) {
      for (std::uint32_t i = 0; i < kBox + kPlain; ++i) {
        std::uint32_t& sum = sums[step * 32 + i % 32];
        const std::uint32_t from = step * kBox + i;
        const bool inside = from < kRowsInside * kRow;
        sum = sum * 31 + (i >= kBox ? aligned(plain)[step * kPlain + i - kBox] : inside ? aligned(boxes)[from] : 0);
      }
    }
    return sums;
  }
};

// What the orders of execution show of a fault, one after another.
std::string shown(Fault fault) {
  Pipeline pipeline{.fault = fault};
  const std::vector<std::uint32_t> expected = pipeline.expected();
  std::string all;
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    std::vector<std::uint32_t> sums;
    const std::string error = error_of([&] { sums = pipeline.run(); });
    if (!error.empty()) all += error + "\n";
    if (error.empty() && sums != expected) all += "wrong sums\n";
  }
  return all;
}

TEST(BulkCopy, FillsThePipelineOfAnotherWarp) { EXPECT_EQ(shown(Fault::kNone), ""); }

TEST(BulkCopy, SeesFaultsOfAPipeline) {
  const char* const deadlock = "deadlock: ";
  EXPECT_THAT(shown(Fault::kFullParity), HasSubstr("where a bulk copy is on its way"));
  EXPECT_THAT(shown(Fault::kEmptyParity), HasSubstr("wait for parity 0 of the mbarrier at 4104 produce:1"));
  EXPECT_THAT(shown(Fault::kTooFewBytes), HasSubstr("where a bulk copy is on its way"));
  EXPECT_THAT(shown(Fault::kTooManyBytes), HasSubstr(deadlock));
  EXPECT_THAT(shown(Fault::kBytesInsideAlone), HasSubstr(deadlock));
  EXPECT_THAT(shown(Fault::kNoArrival), HasSubstr(deadlock));
  EXPECT_THAT(shown(Fault::kStageBefore), HasSubstr("where a bulk copy is on its way"));
  EXPECT_THAT(shown(Fault::kNoFenceOfBarriers), HasSubstr("was made without fence.proxy.async"));
  EXPECT_THAT(shown(Fault::kNoBlockBarrier), HasSubstr("there is no mbarrier"));
  EXPECT_THAT(shown(Fault::kNoFenceOfReads), HasSubstr("wrote or read without fence.proxy.async"));
  EXPECT_THAT(shown(Fault::kNoSwizzle), HasSubstr("wrong sums"));
  EXPECT_THAT(shown(Fault::kNoWaitAtTheEnd), HasSubstr("ended with 2 bulk copies under way"));
  EXPECT_THAT(shown(Fault::kBarrierWrittenOver), HasSubstr("was written over"));
  EXPECT_THAT(shown(Fault::kOtherColumn), HasSubstr("wrong sums"));
}

// One thread that has made a barrier at 0 for one arrival.
std::string misuse(const std::function<void()>& body) {
  return error_of([&] {
    run_block(1, 4096, [&] {
      device::mbarrier_init(0, 1);
      device::async_proxy_fence();
      body();
    });
  });
}

TEST(BulkCopy, SeesMisuse) {
  std::vector<std::uint8_t> memory = random_bytes(4096);
  const std::uint8_t* const from = aligned(memory);
  const TensorMapFields map{.address = from, .strides = {kRow}, .sizes = {kRow, 8}, .rank = 2, .box = {kRow, 8}};
  EXPECT_THAT(misuse([&] { device::bulk_copy(1032, from, 64, 0); }), HasSubstr("to 1032, not a multiple of 16"));
  EXPECT_THAT(misuse([&] { device::bulk_copy(1024, from, 72, 0); }), HasSubstr("of 72 bytes, not a multiple of 16"));
  EXPECT_THAT(misuse([&] { device::bulk_copy(1024, from + 8, 64, 0); }), HasSubstr("from an address not a multiple"));
  EXPECT_THAT(misuse([&] { device::bulk_copy(4064, from, 64, 0); }), HasSubstr("of 64 bytes to 4064 of 4096"));
  EXPECT_THAT(misuse([&] { device::bulk_copy(1024, from, 64, 8); }), HasSubstr("there is no mbarrier at 8"));
  EXPECT_THAT(misuse([&] { device::bulk_copy_box(1040, map, {}, {}, 0); }), HasSubstr("not a multiple of 128"));
  EXPECT_THAT(misuse([&] {
                device::bulk_copy(1024, from, 64, 0);
                device::bulk_copy(1072, from, 64, 0);
              }),
              HasSubstr("to 1072 while another is on its way"));
  EXPECT_THAT(misuse([&] {
                shared_at<std::uint8_t>(1030) = 1;
                device::bulk_copy(1024, from, 64, 0);
              }),
              HasSubstr("to 1024, which thread (0, 0, 0) wrote or read without"));
  EXPECT_THAT(misuse([] { device::mbarrier_init(0, 1); }), HasSubstr("made twice"));
  EXPECT_THAT(misuse([] { device::mbarrier_init(12, 1); }), HasSubstr("misaligned"));
  EXPECT_THAT(misuse([] { device::mbarrier_init(16, 0); }), HasSubstr("an mbarrier of 0 arrivals"));
  EXPECT_THAT(misuse([] { device::mbarrier_arrive_expect(0, 1 << 20); }), HasSubstr("expects 1048576 bytes"));
  EXPECT_THAT(misuse([] { device::mbarrier_arrive_expect(0, 16); }), HasSubstr("expecting 16 bytes more"));
  EXPECT_THAT(misuse([] {
                device::mbarrier_arrive_expect(0, 16);
                device::mbarrier_arrive(0);
              }),
              HasSubstr("has had its 1 arrivals"));
}

TEST(NamedBarrier, HoldsItsThreadsAlone) {
  for (const Options& options : all_options()) {
    const WithOptions with(options);
    std::vector<int> out(64);
    run_block(96, 256, [&] {
      if (thread_x() >= 64) return;
      shared_int(thread_x()) = static_cast<int>(thread_x());
      device::named_barrier(1, 64, "first", 1);
      const int found = shared_int(63 - thread_x());
      device::named_barrier(1, 64, "second", 1);
      shared_int(thread_x()) = 2 * found;
      device::named_barrier(1, 64, "third", 1);
      out[thread_x()] = shared_int(63 - thread_x());
    });
    for (int i = 0; i < 64; ++i) ASSERT_EQ(out[static_cast<std::size_t>(i)], 2 * i) << describe(options);
  }
  const auto error = [](unsigned threads, const char* other) {
    return error_of(
        [&] { run_block(64, 0, [&] { device::named_barrier(1, threads, thread_x() < 32 ? "here" : other, 1); }); });
  };
  EXPECT_EQ(error(64, "here"), "");
  EXPECT_THAT(error(64, "there"), HasSubstr("divergent barrier 1"));
  EXPECT_THAT(error(48, "here"), HasSubstr("warps are whole"));
  EXPECT_THAT(error_of([] {
                run_block(64, 0, [] {
                  if (thread_x() < 32) device::named_barrier(1, 64, "here", 1);
                });
              }),
              HasSubstr("deadlock: 32 of 64 threads, first thread (0, 0, 0), wait at barrier 1 here:1"));
}

}  // namespace
}  // namespace gpueval::emulator
