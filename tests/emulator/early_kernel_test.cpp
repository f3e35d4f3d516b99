// SPDX-License-Identifier: Apache-2.0
// Kernels that begin before the one in front has ended: what they do too early must show.
#include <gtest/gtest.h>

#include <vector>

#include "cuda/prim/previous_kernel.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/thread.h"
#include "cuda/runtime/launch.h"
#include "emulated.h"

namespace gpueval::emu {
namespace {

constexpr unsigned kThreads = 64;

enum class Fault { kNone, kReadsEarly, kWritesEarly, kNeverWaits, kOneThreadDoesNot };

// dst[i] = src[i ^ 1] + 1, through shared memory and a barrier.
struct Params {
  const int* src;
  int* dst;
  Fault fault = Fault::kNone;
};
GPUEVAL_KERNEL(kThreads) add_one(const Params p) {
  const unsigned thread = thread_index().x, i = block_index().x * kThreads + thread;
  const Shared<int> values(0, kThreads);
  int early = 0;
  let_next_kernel_begin();
  if (p.fault == Fault::kReadsEarly) early = p.src[i];
  if (p.fault == Fault::kWritesEarly) p.dst[i] = 0;
  block_barrier();
  const bool waits = p.fault != Fault::kNeverWaits && (p.fault != Fault::kOneThreadDoesNot || thread != 33);
  if (waits) wait_for_previous_kernel();
  values[thread] = p.fault == Fault::kReadsEarly ? early : p.src[i];
  block_barrier();
  p.dst[i] = values[thread ^ 1] + 1;
}

class EarlyKernel : public testing::Test {
 protected:
  EarlyKernel() : stream_{emulator::make_stream()} { emulator::set_deferred(true); }
  ~EarlyKernel() override {
    emulator::set_deferred(false);
    emulator::destroy_stream(stream_.handle);
  }
  // In a chain of `fault`s, each adds one to what the one before made, in place of that or elsewhere.
  std::vector<int> chain(unsigned blocks, const std::vector<Fault>& faults) {
    std::vector<std::vector<int>> tensors(faults.size() + 1, std::vector<int>(blocks * kThreads, 1000));
    for (std::size_t i = 0; i < faults.size(); ++i) {
      cuda::Stream stream = stream_;
      stream.overlaps = i > 0;
      launch_early(stream, "add_one", {blocks}, kThreads, kThreads * sizeof(int), add_one,
                   {tensors[i].data(), tensors[i + 1].data(), faults[i]});
    }
    emulator::synchronize(stream_.handle);
    return tensors.back();
  }
  cuda::Stream stream_;
};

TEST_F(EarlyKernel, FindsWhatThoseInFrontWrote) {
  for (const unsigned blocks : {1u, 2u, 7u}) {
    for (const std::size_t kernels : {1u, 2u, 5u}) {
      for (const auto schedule :
           {emulator::Schedule::kAscending, emulator::Schedule::kDescending, emulator::Schedule::kRandom}) {
        const emulator::WithOptions with({.schedule = schedule});
        EXPECT_EQ(chain(blocks, std::vector<Fault>(kernels, Fault::kNone)),
                  std::vector<int>(blocks * kThreads, 1000 + static_cast<int>(kernels)));
      }
    }
  }
}

TEST_F(EarlyKernel, ShowsWhatIsReadTooEarly) {
  for (const unsigned blocks : {1u, 2u, 7u}) {
    const std::vector<int> found = chain(blocks, {Fault::kNone, Fault::kReadsEarly});
    EXPECT_EQ(found.front(), 1001) << "of the first block";
    EXPECT_EQ(found.back(), 1001) << "of the last block";
    // Two in front: the read may come before either.
    EXPECT_EQ(chain(blocks, {Fault::kNone, Fault::kNone, Fault::kReadsEarly}).front(), 1001);
  }
}

// The kernel in front still reads what the one behind overwrites.
TEST_F(EarlyKernel, ShowsWhatIsWrittenTooEarly) {
  for (const Fault fault : {Fault::kNone, Fault::kWritesEarly}) {
    std::vector<int> a(kThreads, 1000), b(kThreads, 0), c(kThreads, 2000);
    cuda::Stream stream = stream_;
    launch_early(stream, "add_one", {1}, kThreads, kThreads * sizeof(int), add_one, {a.data(), b.data()});
    stream.overlaps = true;
    launch_early(stream, "add_one", {1}, kThreads, kThreads * sizeof(int), add_one, {c.data(), a.data(), fault});
    emulator::synchronize(stream_.handle);
    EXPECT_EQ(a.front(), 2001);
    EXPECT_EQ(b.front(), fault == Fault::kNone ? 1001 : 1);
  }
}

TEST_F(EarlyKernel, HasToWaitWithEveryThread) {
  const auto error = [&](const std::vector<Fault>& faults) { return emulator::error_of([&] { chain(2, faults); }); };
  EXPECT_NE(error({Fault::kNone, Fault::kNeverWaits}).find("had not waited for the kernel in front"),
            std::string::npos);
  EXPECT_NE(error({Fault::kNone, Fault::kOneThreadDoesNot}).find("thread (33, 0, 0)"), std::string::npos);
  EXPECT_EQ(chain(2, {Fault::kNone, Fault::kNone}).front(), 1002) << "after the errors";
}

TEST_F(EarlyKernel, IsAKernelLikeOthersWhereTheStreamDoesNotOverlap) {
  std::vector<int> a(kThreads, 1000), b(kThreads, 0);
  launch_early(stream_, "add_one", {1}, kThreads, kThreads * sizeof(int), add_one,
               {a.data(), b.data(), Fault::kNeverWaits});
  emulator::synchronize(stream_.handle);
  EXPECT_EQ(b.front(), 1001);
}

}  // namespace
}  // namespace gpueval::emu
