// SPDX-License-Identifier: Apache-2.0
// The runtimes: memory, copies, events, graph capture.
#include "cuda/runtime/runtime.h"
#include "cuda/runtime/tables.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "cuda/runtime/handles.h"
#include "cuda/runtime/launch.h"
#include "emulator/emulator.h"
#include "emulator/stream.h"
#include "gpueval/error.h"
#include "support/runtimes.h"

namespace gpueval::cuda {
namespace {

constexpr std::size_t kBytes = 1000;

class RuntimeTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string why;
    runtime_ = emulated() ? &emu_runtime() : gpu_runtime(&why);
    if (runtime_ == nullptr) {
      EXPECT_FALSE(why.empty());
      GTEST_SKIP() << why;
    }
    stream_ = make_stream(*runtime_);
  }
  void TearDown() override {
    emulator::set_deferred(false);
    emulator::set_options({});
  }
  static bool emulated() { return std::strcmp(GetParam(), "emu") == 0; }

  std::vector<std::uint8_t> download(const DeviceBuffer& buffer) {
    std::vector<std::uint8_t> bytes(buffer.size());
    runtime_->copy_to_host(bytes.data(), buffer.data(), bytes.size(), stream_.get());
    runtime_->synchronize(stream_.get());
    return bytes;
  }
  void fill(const DeviceBuffer& buffer, int byte, Stream stream) {
    runtime_->fill(buffer.data(), byte, buffer.size(), stream);
  }
  // The message of the Error that fn throws.
  template <typename Fn>
  static std::string error_of(Fn&& fn) {
    try {
      fn();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  Runtime* runtime_ = nullptr;
  StreamHandle stream_;
};

TEST_P(RuntimeTest, PropertiesAreThere) {
  const DeviceProperties& p = runtime_->properties();
  EXPECT_FALSE(p.name.empty());
  EXPECT_GE(p.sm, 75);
  EXPECT_GE(p.multiprocessors, 1);
  EXPECT_GE(p.shared_bytes_per_block, 48u << 10);
  EXPECT_GT(p.memory_bytes, 0u);
  EXPECT_GT(conv_kernels_of(*runtime_).size(), 0u);
}

TEST_P(RuntimeTest, CopiesPinnedAndPageable) {
  DeviceBuffer device(*runtime_, kBytes);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(device.data()) % 256, 0u);
  std::vector<std::uint8_t> bytes(kBytes);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  const std::vector<std::uint8_t> wanted = bytes;
  runtime_->copy_to_device(device.data(), bytes.data(), kBytes, stream_.get());
  std::fill(bytes.begin(), bytes.end(), std::uint8_t{9});  // pageable memory may change at once
  EXPECT_EQ(download(device), wanted);

  PinnedBuffer pinned(*runtime_, kBytes);
  std::memset(pinned.data(), 3, kBytes);
  runtime_->copy_to_device(device.data(), pinned.data(), kBytes, stream_.get());
  runtime_->synchronize(stream_.get());
  EXPECT_EQ(download(device), std::vector<std::uint8_t>(kBytes, 3));
}

TEST_P(RuntimeTest, BuffersMove) {
  DeviceBuffer a(*runtime_, kBytes), b;
  void* const data = a.data();
  b = std::move(a);
  EXPECT_EQ(b.data(), data);
  EXPECT_EQ(b.size(), kBytes);
  DeviceBuffer c(std::move(b));
  EXPECT_EQ(c.data(), data);
}

TEST_P(RuntimeTest, EventsMeasureTime) {
  const DeviceBuffer device(*runtime_, kBytes);
  const EventHandle begin = make_event(*runtime_), end = make_event(*runtime_);
  runtime_->record(begin.get(), stream_.get());
  fill(device, 1, stream_.get());
  runtime_->record(end.get(), stream_.get());
  runtime_->synchronize(end.get());
  EXPECT_GE(runtime_->seconds(begin.get(), end.get()), 0);
  EXPECT_LT(runtime_->seconds(begin.get(), end.get()), 10);
}

TEST_P(RuntimeTest, ACaptureRunsNothingAndItsGraphRunsAgain) {
  const DeviceBuffer device(*runtime_, kBytes);
  fill(device, 1, stream_.get());
  runtime_->begin_capture(stream_.get());
  fill(device, 2, stream_.get());
  const GraphHandle graph(*runtime_, runtime_->end_capture(stream_.get()));
  EXPECT_EQ(download(device)[0], 1);
  for (int pass = 0; pass < 2; ++pass) {
    fill(device, 7, stream_.get());
    runtime_->launch_graph(graph.get(), stream_.get());
    EXPECT_EQ(download(device)[kBytes - 1], 2);
  }
}

// The host is late between an event of the stream and the graph; the graph's own time has no part of that.
TEST_P(RuntimeTest, AGraphTakesItsOwnTime) {
  constexpr double kLate = 0.02;
  const DeviceBuffer device(*runtime_, kBytes);
  const EventHandle before = make_event(*runtime_), begin = make_event(*runtime_), end = make_event(*runtime_);
  const EventHandle orders = make_event(*runtime_);
  runtime_->begin_capture(stream_.get());
  runtime_->record(orders.get(), stream_.get());
  runtime_->record_in_graph(begin.get(), stream_.get());
  fill(device, 2, stream_.get());
  runtime_->record_in_graph(end.get(), stream_.get());
  const GraphHandle graph(*runtime_, runtime_->end_capture(stream_.get()));
  for (int pass = 0; pass < 2; ++pass) {
    runtime_->record(before.get(), stream_.get());
    runtime_->synchronize(before.get());
    std::this_thread::sleep_for(std::chrono::duration<double>(kLate));
    runtime_->launch_graph(graph.get(), stream_.get());
    runtime_->synchronize(stream_.get());
    const double to_begin = runtime_->seconds(before.get(), begin.get());
    const double to_end = runtime_->seconds(before.get(), end.get());
    EXPECT_GT(to_begin, 0.9 * kLate) << "pass " << pass;  // two clocks
    EXPECT_GE(to_end, to_begin);
    EXPECT_NEAR(runtime_->seconds(begin.get(), end.get()), to_end - to_begin, 1e-5);
    EXPECT_THROW(runtime_->seconds(before.get(), orders.get()), Error) << "CUDA has no time for it either";
  }
}

TEST_P(RuntimeTest, ACaptureFollowsForkAndJoin) {
  const DeviceBuffer a(*runtime_, kBytes), b(*runtime_, kBytes);
  const StreamHandle side = make_stream(*runtime_), other = make_stream(*runtime_);
  const EventHandle forked = make_event(*runtime_), joined = make_event(*runtime_);
  fill(a, 0, stream_.get());
  fill(b, 0, stream_.get());
  runtime_->synchronize(stream_.get());
  runtime_->begin_capture(stream_.get());
  runtime_->record(forked.get(), stream_.get());
  runtime_->wait(side.get(), forked.get());
  fill(a, 4, side.get());
  fill(b, 5, stream_.get());
  runtime_->record(joined.get(), side.get());
  runtime_->wait(stream_.get(), joined.get());
  const GraphHandle graph(*runtime_, runtime_->end_capture(stream_.get()));
  EXPECT_EQ(download(a)[0], 0);
  if (emulated()) emulator::set_deferred(true);
  for (std::uint64_t seed = 1; seed < 6; ++seed) {
    emulator::set_options({.seed = seed});
    fill(a, 0, stream_.get());
    fill(b, 0, stream_.get());
    runtime_->launch_graph(graph.get(), stream_.get());
    EXPECT_EQ(download(a)[0], 4) << "a later copy on the launch stream waits for the graph";
    EXPECT_EQ(download(b)[0], 5);
  }
}

TEST_P(RuntimeTest, ACaptureRefusesWhatCudaRefuses) {
  if (!emulated()) GTEST_SKIP() << "the driver's own checks";
  const DeviceBuffer device(*runtime_, kBytes);
  std::vector<std::uint8_t> host(kBytes);
  const StreamHandle side = make_stream(*runtime_);
  const EventHandle early = make_event(*runtime_), forked = make_event(*runtime_);
  const Stream stream = stream_.get();
  runtime_->record(early.get(), stream);

  runtime_->begin_capture(stream);
  EXPECT_NE(error_of([&] { runtime_->synchronize(stream); }).find("waited for"), std::string::npos);
  EXPECT_NE(error_of([&] { runtime_->copy_to_host(host.data(), device.data(), kBytes, stream); }).find("pinned"),
            std::string::npos);
  EXPECT_NE(error_of([&] { runtime_->wait(stream, early.get()); }).find("outside"), std::string::npos);
  EXPECT_NE(error_of([&] { runtime_->begin_capture(side.get()); }).find("under way"), std::string::npos);
  runtime_->record(forked.get(), stream);
  runtime_->wait(side.get(), forked.get());
  fill(device, 1, side.get());
  EXPECT_NE(error_of([&] { runtime_->end_capture(stream); }).find("not joined"), std::string::npos);
  EXPECT_NE(error_of([&] { runtime_->end_capture(stream); }).find("none was begun"), std::string::npos);
  EXPECT_NE(error_of([&] { runtime_->begin_capture({}); }).find("default stream"), std::string::npos);
  EXPECT_NE(error_of([&] { runtime_->record_in_graph(early.get(), stream); }).find("none is captured"),
            std::string::npos);

  fill(device, 8, stream);  // and is usable again
  EXPECT_EQ(download(device)[0], 8);
}

TEST_P(RuntimeTest, StreamsOutsideOfTheCaptureRun) {
  if (!emulated()) GTEST_SKIP() << "CUDA forbids some of it to the same thread";
  const DeviceBuffer device(*runtime_, kBytes);
  const StreamHandle other = make_stream(*runtime_);
  runtime_->begin_capture(stream_.get());
  fill(device, 6, other.get());
  const GraphHandle graph(*runtime_, runtime_->end_capture(stream_.get()));
  EXPECT_EQ(download(device)[0], 6);
}

TEST_P(RuntimeTest, ImpossibleAllocationIsAnError) {
  const std::size_t bytes = std::size_t{1} << 60;
  EXPECT_NE(error_of([&] { runtime_->allocate(bytes); }).find("memory"), std::string::npos);
  const DeviceBuffer small(*runtime_, kBytes);  // the failure does not stick
  fill(small, 1, stream_.get());
  EXPECT_EQ(download(small)[0], 1);
}

TEST(Launch, FailuresNameKernelAndReason) {
  try {
    fail_launch("conv_s8_naive", "invalid configuration");
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "kernel 'conv_s8_naive' could not be launched: invalid configuration");
  }
}

INSTANTIATE_TEST_SUITE_P(, RuntimeTest, testing::Values("emu", "gpu"),
                         [](const auto& device) { return std::string(device.param); });

}  // namespace
}  // namespace gpueval::cuda
