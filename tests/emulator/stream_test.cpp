// SPDX-License-Identifier: Apache-2.0
// Streams and events. With deferral a missing event between two streams must show as a wrong result under some seed.
#include "emulator/stream.h"

#include <gtest/gtest.h>

#include <set>

#include "emulated.h"

namespace gpueval::emulator {
namespace {

class StreamTest : public testing::Test {
 protected:
  StreamTest() : a_(make_stream()), b_(make_stream()), event_(make_event()) {}
  ~StreamTest() override {
    set_deferred(false);
    destroy_stream(a_);
    destroy_stream(b_);
    destroy_event(event_);
  }
  void* a_;
  void* b_;
  void* event_;
};

TEST_F(StreamTest, WorkRunsAtOnceByDefault) {
  int value = 0;
  enqueue(a_, [&] { value = 1; });
  EXPECT_EQ(value, 1);
  record(event_, a_);
  wait(b_, event_);
  enqueue(b_, [&] { value = 2; });
  EXPECT_EQ(value, 2);
  EXPECT_THROW(enqueue(a_, [] { fail("from the kernel"); }), Error);
}

TEST_F(StreamTest, DeferredWorkRunsAtSynchronizeInStreamOrder) {
  set_deferred(true);
  std::vector<int> order;
  for (int i = 0; i < 10; ++i) enqueue(a_, [&order, i] { order.push_back(i); });
  EXPECT_TRUE(order.empty());
  synchronize(a_);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  enqueue(nullptr, [&] { order.clear(); });
  EXPECT_TRUE(order.empty());  // the null stream: at once
}

std::set<std::vector<int>> orders(void* a, void* b, const std::function<void(std::vector<int>&)>& enqueue_all) {
  std::set<std::vector<int>> found;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const WithOptions with({.seed = seed});
    std::vector<int> order;
    enqueue_all(order);
    synchronize(nullptr);
    found.insert(order);
  }
  static_cast<void>(a), static_cast<void>(b);
  return found;
}

TEST_F(StreamTest, UnrelatedStreamsRunInAnyOrder) {
  set_deferred(true);
  const auto found = orders(a_, b_, [&](std::vector<int>& order) {
    enqueue(a_, [&] { order.push_back(1); });
    enqueue(b_, [&] { order.push_back(2); });
  });
  EXPECT_EQ(found, (std::set<std::vector<int>>{{1, 2}, {2, 1}}));
}

TEST_F(StreamTest, AnEventOrdersThem) {
  set_deferred(true);
  const auto found = orders(a_, b_, [&](std::vector<int>& order) {
    enqueue(a_, [&] { order.push_back(1); });
    record(event_, a_);
    enqueue(a_, [&] { order.push_back(3); });
    wait(b_, event_);
    enqueue(b_, [&] { order.push_back(2); });
  });
  EXPECT_EQ(found, (std::set<std::vector<int>>{{1, 2, 3}, {1, 3, 2}}));
}

// The bug to catch: the consumer does not wait for the producer's stream.
TEST_F(StreamTest, AMissingEventGivesAWrongResultUnderSomeSeed) {
  set_deferred(true);
  for (const bool with_event : {true, false}) {
    int wrong = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const WithOptions with({.seed = seed});
      std::vector<int> data(32), out(32);
      enqueue(a_, [&] { run_block(32, 0, [&] { data[thread_x()] = 7; }); });
      record(event_, a_);
      if (with_event) wait(b_, event_);
      enqueue(b_, [&] { run_block(32, 0, [&] { out[thread_x()] = data[thread_x()]; }); });
      synchronize(nullptr);
      wrong += out != std::vector<int>(32, 7);
    }
    if (with_event) {
      EXPECT_EQ(wrong, 0);
    } else {
      EXPECT_GT(wrong, 3);
    }
  }
}

// As in CUDA: a wait refers to the last record at the time of the call, and without one it is no wait.
TEST_F(StreamTest, AWaitRefersToTheRecordBeforeIt) {
  set_deferred(true);
  const auto found = orders(a_, b_, [&](std::vector<int>& order) {
    enqueue(a_, [&] { order.push_back(1); });
    record(event_, a_);
    wait(b_, event_);  // for 1, not for 3
    enqueue(b_, [&] { order.push_back(2); });
    enqueue(a_, [&] { order.push_back(3); });
    record(event_, a_);
  });
  EXPECT_EQ(found, (std::set<std::vector<int>>{{1, 2, 3}, {1, 3, 2}}));
  void* fresh = make_event();
  int value = 0;
  wait(b_, fresh);
  enqueue(b_, [&] { value = 1; });
  synchronize(b_);
  EXPECT_EQ(value, 1);
  destroy_event(fresh);
}

TEST_F(StreamTest, SynchronizeRunsWhatTheStreamWaitsFor) {
  set_deferred(true);
  int value = 0;
  enqueue(a_, [&] { value = 5; });
  record(event_, a_);
  wait(b_, event_);
  int seen = 0;
  enqueue(b_, [&] { seen = value; });
  synchronize(b_);
  EXPECT_EQ(seen, 5);
}

TEST_F(StreamTest, AnEventMayBeDestroyedWhileWaitedFor) {
  set_deferred(true);
  void* event = make_event();
  std::vector<int> order;
  enqueue(a_, [&] { order.push_back(1); });
  record(event, a_);
  wait(b_, event);
  enqueue(b_, [&] { order.push_back(2); });
  destroy_event(event);
  synchronize(nullptr);
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST_F(StreamTest, ErrorsSurfaceAtSynchronizeAndLeaveTheStreamsUsable) {
  set_deferred(true);
  int value = 0;
  enqueue(a_, [] { run_block(1, 0, [] { shared_int(0) = 1; }); });
  record(event_, a_);
  wait(b_, event_);
  enqueue(b_, [&] { value = 1; });
  EXPECT_NE(error_of([&] { synchronize(b_); }).find("out of bounds"), std::string::npos);
  synchronize(nullptr);
  EXPECT_EQ(value, 0);  // lost, as on a device
  enqueue(b_, [&] { value = 2; });
  synchronize(b_);
  EXPECT_EQ(value, 2);
}

TEST_F(StreamTest, DestroyingAStreamFinishesItsWorkAndKeepsItsError) {
  set_deferred(true);
  int value = 0;
  void* stream = make_stream();
  enqueue(stream, [&] { value = 1; });
  enqueue(stream, [] { fail("too late"); });
  destroy_stream(stream);
  EXPECT_EQ(value, 1);
  EXPECT_EQ(error_of([] { synchronize(nullptr); }), "too late");
  EXPECT_EQ(error_of([] { synchronize(nullptr); }), "");
}

TEST_F(StreamTest, LeavingDeferralRunsWhatIsLeft) {
  set_deferred(true);
  int value = 0;
  enqueue(a_, [&] { value = 1; });
  set_deferred(false);
  EXPECT_EQ(value, 1);
}

}  // namespace
}  // namespace gpueval::emulator
